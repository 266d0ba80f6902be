//go:build unix

package worker_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime/internal/wire"
	"github.com/stint-go/stint/runtime/worker"
)

// impostor is a worker played by hand: the other end of the channel, in this
// process.
type impostor struct {
	t      testing.TB
	conn   duplex
	frames *wire.Reader
}

// openImpostor starts a link to an impostor that has said nothing yet.
func openImpostor(t testing.TB, receiver worker.Receiver) (*worker.Link, *impostor) {
	t.Helper()
	return openImpostorWith(t, worker.LinkConfig{Worker: 7, Limit: 1 << 20, Receiver: receiver})
}

func openImpostorWith(t testing.TB, config worker.LinkConfig) (*worker.Link, *impostor) {
	t.Helper()
	link, i, _ := openImpostorFiles(t, config)
	return link, i
}

// openImpostorFiles returns also what a worker would find open, until the test's end.
func openImpostorFiles(t testing.TB, config worker.LinkConfig) (*worker.Link, *impostor, []*os.File) {
	t.Helper()
	link, files, err := worker.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	conn := duplexOf(t, files[3], files[4])
	for _, f := range files[:3] {
		f.Close()
	}
	t.Cleanup(func() {
		files[5].Close()
		conn.Close()
		link.Close()
		link.Release()
	})
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	link.Start()
	return link, &impostor{t: t, conn: conn, frames: wire.NewReader(conn, 2<<20)}, files
}

func (i *impostor) write(frames ...[]byte) {
	i.t.Helper()
	// An error means that the link closed on what came before.
	_, _ = i.conn.Write(bytes.Join(frames, nil))
}

// answer is the right answer to the host's hello, but for a change.
func (i *impostor) answer(change func(*wire.Hello)) []byte {
	i.t.Helper()
	header, payload, err := i.frames.Next()
	if err != nil || header.Kind != wire.KindHello {
		i.t.Fatal(header, err)
	}
	hello, err := wire.ParseHello(payload)
	if err != nil {
		i.t.Fatal(err)
	}
	if change != nil {
		change(&hello)
	}
	frame, err := wire.AppendHello(nil, hello)
	if err != nil {
		i.t.Fatal(err)
	}
	return frame
}

// watcher is a receiver that keeps what it is told.
type watcher struct {
	ready   int
	results []worker.Result
	stacks  []string
	calls   []worker.Call
	reports []string
	closed  chan error
}

func newWatcher() *watcher { return &watcher{closed: make(chan error, 1)} }

func (w *watcher) Ready() { w.ready++ }
func (w *watcher) Results(results []worker.Result) {
	for _, r := range results {
		r.Value = bytes.Clone(r.Value)
		w.results = append(w.results, r)
	}
}

func (w *watcher) Progress(slot uint16, id uint64, value []byte) bool {
	w.reports = append(w.reports, string(value))
	return slot == 1 && id == 1
}
func (w *watcher) Stack(_ uint64, text string) { w.stacks = append(w.stacks, text) }
func (w *watcher) Called(c worker.Call) error  { w.calls = append(w.calls, c); return nil }
func (w *watcher) Closed(err error)            { w.closed <- err }

// play has an impostor say something, after the handshake or instead of it, and
// then end, and returns what the receiver was told.
func play(t testing.TB, greet bool, say ...[]byte) (*watcher, error) {
	t.Helper()
	w := newWatcher()
	_, i := openImpostor(t, w)
	if greet {
		say = append([][]byte{i.answer(nil)}, say...)
	}
	i.write(say...)
	if err := i.conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	err, _ := receive(t, w.closed)
	if _, readErr := io.Copy(io.Discard, i.conn); errors.Is(readErr, os.ErrDeadlineExceeded) {
		t.Error("the link is closed, and the worker does not see it")
	}
	return w, err
}

func frameOf(kind wire.Kind, payload string) []byte {
	return wire.AppendFrame(nil, wire.Header{Kind: kind, Slot: 1, ID: 1}, []byte(payload))
}

func valueFrame(slot uint16, id uint64, value string) []byte {
	head := wire.AppendResultHead(nil, wire.Header{Kind: wire.KindValue, Slot: slot, ID: id}, time.Second, len(value))
	return append(head, value...)
}

// SEC-4, invariant 7: a worker that says what no worker says is told of, by a
// *ProtocolError, and what it had said before counts.
func TestProtocolErrors(t *testing.T) {
	size := func(n uint32) []byte {
		return wire.AppendHeader(nil, wire.Header{Kind: wire.KindValue, Slot: 1, ID: 1, Size: n})
	}
	reserved := frameOf(wire.KindSkipped, "")
	reserved[5] = 1
	for name, test := range map[string]struct {
		say    []byte
		reason string
	}{
		"zeros":               {make([]byte, 100), "unknown kind 0"},
		"text":                {[]byte("panic: runtime error: index out of range"), "unknown kind"},
		"reserved byte":       {reserved, "reserved byte"},
		"size 2^32-1":         {size(math.MaxUint32), "over the limit"},
		"size over limit":     {size(1<<20 + 1), "over the limit"},
		"slot beyond table":   {valueFrame(worker.Slots, 1, "value"), "slot 256 of 256"},
		"skipped slot":        {wire.AppendFrame(nil, wire.Header{Kind: wire.KindSkipped, Slot: math.MaxUint16}, nil), "slot 65535"},
		"value without time":  {frameOf(wire.KindValue, "1234567"), "too short"},
		"negative time":       {frameOf(wire.KindValue, strings.Repeat("\xff", 8)), "negative time"},
		"failure of nothing":  {frameOf(wire.KindFailure, "12345678"), "bad failure"},
		"failure of garbage":  {frameOf(wire.KindFailure, "\x00\x00\x00\x00\x00\x00\x00\x00garbage"), "bad failure"},
		"failure of a bomb":   {frameOf(wire.KindFailure, "\x00\x00\x00\x00\x00\x00\x00\x00\xa1\x05\x9b\x7f\xff\xff\xff\xff\xff\xff\xff"), "bad failure"},
		"failure of no kind":  {frameOf(wire.KindFailure, "\x00\x00\x00\x00\x00\x00\x00\x00\xa1\x01\x18\x63"), "unknown kind 99"},
		"another hello":       {frameOf(wire.KindHello, ""), "a worker does not send hello"},
		"no main, too late":   {frameOf(wire.KindNoMain, ""), "a worker does not send no-main"},
		"task":                {frameOf(wire.KindTask, ""), "a worker does not send task"},
		"cancel":              {frameOf(wire.KindCancel, "\x01"), "a worker does not send cancel"},
		"quit":                {frameOf(wire.KindQuit, ""), "a worker does not send quit"},
		"ask for a stack":     {frameOf(wire.KindAskStack, ""), "a worker does not send ask-stack"},
		"progress of another": {wire.AppendFrame(nil, wire.Header{Kind: wire.KindProgress, Slot: 2, ID: 2}, nil), "not begun"},
		"progress of no slot": {wire.AppendFrame(nil, wire.Header{Kind: wire.KindProgress, Slot: worker.Slots, ID: 1}, nil), "not begun"},
		"too much progress":   {frameOf(wire.KindProgress, strings.Repeat("x", wire.MaxProgress+1)), "over the limit"},
		"unasked stack":       {frameOf(wire.KindStack, "goroutine 1"), "nobody asked"},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := play(t, true, valueFrame(3, 9, "before"), test.say, valueFrame(3, 10, "after"))
			var protocol *worker.ProtocolError
			if !errors.As(err, &protocol) || protocol.Worker != 7 || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("closed with %v, want a protocol error with %q", err, test.reason)
			}
			var bad *wire.Error
			if !errors.As(err, &bad) {
				t.Errorf("%v does not wrap what was wrong", err)
			}
			if w.ready != 1 || len(w.results) != 1 || string(w.results[0].Value) != "before" {
				t.Errorf("ready %d times, results %+v", w.ready, w.results)
			}
		})
	}
}

// An answer of a stack is told in its place among the results, and bounded.
func TestStackAnswers(t *testing.T) {
	answer := func(w *watcher, text string) error {
		link, i := openImpostor(t, w)
		hello := i.answer(nil)
		link.AskStack(1)
		i.write(hello, valueFrame(3, 9, "before"), wire.AppendFrame(nil, wire.Header{Kind: wire.KindStack, ID: 1}, []byte(text)), valueFrame(3, 10, "after"))
		if err := i.conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		err, _ := receive(t, w.closed)
		return err
	}
	w := newWatcher()
	if err := answer(w, "goroutine 7"); err != nil || len(w.results) != 2 || len(w.stacks) != 1 || w.stacks[0] != "goroutine 7" {
		t.Errorf("closed with %v, results %+v, stacks %q", err, w.results, w.stacks)
	}
	w = newWatcher()
	var protocol *worker.ProtocolError
	if err := answer(w, strings.Repeat("x", wire.MaxStack+1)); !errors.As(err, &protocol) || len(w.results) != 1 || len(w.stacks) != 0 {
		t.Errorf("closed with %v, results %+v, %d stacks", err, w.results, len(w.stacks))
	}
}

// A worker may end at any byte of what it says: that is no violation, and all
// that it had said before counts. It is ready after a whole hello, not before.
func TestEndAtAnyByte(t *testing.T) {
	var results []byte
	for id := range uint64(3) {
		results = append(results, valueFrame(uint16(id), id, "value")...)
	}
	whole := len(valueFrame(0, 0, "value"))
	for end := range len(results) + 1 {
		w, err := play(t, true, results[:end])
		if err != nil {
			t.Errorf("after %d bytes: closed with %v", end, err)
		}
		if want := end / whole; len(w.results) != want {
			t.Errorf("after %d bytes: %d results, want %d", end, len(w.results), want)
		}
	}
	hello := frameOf(wire.KindHello, "stint\x00\x01\x00")
	for end := range len(hello) {
		if w, err := play(t, false, hello[:end]); err != nil || w.ready != 0 {
			t.Errorf("after %d bytes of a hello: closed with %v", end, err)
		}
	}
}

// Results that were written before a death count, though the worker left tasks
// unread.
func TestResultsBeforeDeath(t *testing.T) {
	for range 20 {
		w := newWatcher()
		link, i := openImpostor(t, w)
		hello := i.answer(nil)
		for id := range uint64(100) {
			link.Offer(uint16(id), id, "task", 0, make([]byte, 1000))
			link.Flush()
		}
		link.Flush()
		i.write(hello)
		if _, err := i.conn.Read(make([]byte, 1)); err != nil { // some are there
			t.Fatal(err)
		}
		for id := range uint64(100) {
			i.write(valueFrame(uint16(id), id, "value"))
		}
		i.conn.Close()
		if err, _ := receive(t, w.closed); err != nil || len(w.results) != 100 {
			t.Fatalf("%d of 100 results, closed with %v", len(w.results), err)
		}
	}
}

// No Offer waits for a worker that does not read, and Close waits for nobody.
func TestWorkerThatDoesNotRead(t *testing.T) {
	leaktest.Check(t)
	w := newWatcher()
	link, i := openImpostor(t, w)
	i.write(i.answer(nil))
	large, small := make([]byte, 1<<20-100), []byte("small")
	offered := make(chan struct{})
	go func() {
		defer close(offered)
		for id := range uint64(worker.Slots) {
			argument := small
			if id%4 == 0 {
				argument = large
			}
			link.Offer(uint16(id), id, "task", 0, argument)
			link.Flush()
			link.Flush()
		}
		link.Cancel(1, true)
		link.Quit(time.Second)
	}()
	receive(t, offered)
	for id := range uint64(worker.Slots) {
		if !link.Withdraw(uint16(id), id) {
			t.Errorf("task %d has begun", id)
		}
	}
	link.Close()
	if err, _ := receive(t, w.closed); err != nil {
		t.Errorf("closed with %v", err)
	}
	link.Offer(0, 1000, "task", 0, small) // goes nowhere
	link.Flush()
	link.Flush()
	link.Cancel(1000, false)
	link.Quit(time.Second)
	link.Close()
}

// FuzzLink: whatever a worker says, instead of the handshake or after it, the
// link comes to an end of a known sort and leaves nothing behind.
func FuzzLink(f *testing.F) {
	f.Add(false, []byte(nil))
	f.Add(false, []byte("text"))
	f.Add(false, frameOf(wire.KindNoMain, ""))
	f.Add(false, frameOf(wire.KindHello, "stint\x00\x01\x00\xa0"))
	f.Add(true, valueFrame(3, 9, "value"))
	f.Add(true, frameOf(wire.KindSkipped, ""))
	f.Add(true, frameOf(wire.KindFailure, "\x00\x00\x00\x00\x00\x00\x00\x00\xa1\x01\x01"))
	f.Add(true, frameOf(wire.KindProgress, "\x01"))
	f.Add(true, frameOf(wire.KindStack, "goroutine 1"))
	f.Add(true, binary.LittleEndian.AppendUint32(nil, math.MaxUint32))
	f.Fuzz(func(t *testing.T, greet bool, say []byte) {
		w, err := play(t, greet, say)
		var handshake *worker.HandshakeError
		var protocol *worker.ProtocolError
		switch {
		case err == nil, err == worker.ErrNoMain && !greet, errors.As(err, &handshake) && !greet, errors.As(err, &protocol):
		default:
			t.Errorf("closed with %v", err)
		}
		if (w.ready == 1) != greet || !greet && len(w.results) > 0 {
			t.Errorf("ready %d times, %d results", w.ready, len(w.results))
		}
		for _, r := range w.results {
			if r.Slot >= worker.Slots || r.Elapsed < 0 {
				t.Errorf("result %+v", r)
			}
		}
	})
}
