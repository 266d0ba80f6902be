package worker_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime/internal/wire"
	"github.com/stint-go/stint/runtime/worker"
)

const mebibyte = 1 << 20

// sharing launches a worker with an arena of 4 MiB each way.
func sharing(t *testing.T, keep bool) *host {
	t.Helper()
	h := launch(t, config{limit: 16 * mebibyte, arena: 8 * mebibyte, keep: keep})
	h.awaitReady()
	return h
}

// letters is a text of so many bytes, which differs from others in each part.
func letters(seed byte, size int) string {
	b := make([]byte, size)
	for i := range b {
		b[i] = seed + byte(i>>10) + byte(i)
	}
	return string(b)
}

// succeeds runs a task that does.
func (h *host) succeeds(task, argument string) worker.Result {
	h.t.Helper()
	r := h.result(h.offer(task, argument))
	h.settle(r)
	if r.Failure != nil {
		h.t.Fatalf("task %s: %+v", task, r.Failure)
	}
	return r
}

// stop stops the worker and returns when it has stopped.
func (h *host) stop() {
	h.t.Helper()
	if err := h.process.Signal(syscall.SIGSTOP); err != nil {
		h.t.Fatal(err)
	}
	eventually(h.t, "it has stopped", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", h.process.Pid))
		return err == nil && bytes.Contains(stat, []byte(") T "))
	})
}

// settle does what a pool does when a slot is free again.
func (h *host) settle(r worker.Result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.link.Settled(r.Slot)
}

// What is large goes through the arena, both ways, and arrives as it was; what is
// larger than that goes by the channel, and what is small.
func TestArena(t *testing.T) {
	leaktest.Check(t)
	h := sharing(t, false)
	for i, size := range []int{worker.LargePayload - 1, worker.LargePayload, 3*mebibyte + 1, 4 * mebibyte, 4*mebibyte + 1, 2 * mebibyte} {
		text, large := letters(byte(i), size), size >= worker.LargePayload && size <= 4*mebibyte
		r := h.succeeds("echo", text)
		if string(r.Value) != text || (r.Region != nil) != large {
			t.Errorf("%d bytes: %d came back, in the arena: %v", size, len(r.Value), r.Region != nil)
		}
		if got := h.succeeds("shared", text); (string(got.Value) == "true") != large {
			t.Errorf("an argument of %d bytes in the arena: %s", size, got.Value)
		}
	}
	if r := h.succeeds("build", "ab"); r.Region == nil || string(r.Value) != strings.Repeat("ab", worker.LargePayload/2) {
		t.Errorf("built: %d bytes, %v", len(r.Value), r.Region)
	}
	text := letters(7, 3*mebibyte)
	if r := h.succeeds("return", text); r.Region == nil || string(r.Value) != text {
		t.Errorf("returned: %d bytes, %v", len(r.Value), r.Region)
	}
	h.end()
}

// Results that the host keeps take the room of others, which come by the channel; each
// that it gives back makes room. They outlive their worker, whole.
func TestArenaFull(t *testing.T) {
	leaktest.Check(t)
	h := sharing(t, true)
	texts := []string{letters(1, 2*mebibyte), letters(2, 2*mebibyte), letters(3, 2*mebibyte)}
	first, second, third := h.succeeds("echo", texts[0]), h.succeeds("echo", texts[1]), h.succeeds("echo", texts[2])
	if first.Region == nil || second.Region == nil || third.Region != nil || string(third.Value) != texts[2] {
		t.Fatalf("kept: %v, %v, %v", first.Region, second.Region, third.Region)
	}
	first.Region.Release()
	fourth := h.succeeds("echo", texts[2])
	if fourth.Region == nil {
		t.Error("the room of the first is not used again")
	}
	own := h.succeeds("return", texts[0]) // stays where the argument was
	if next := h.succeeds("shared", letters(9, 3*mebibyte)); string(next.Value) != "false" {
		t.Errorf("an argument of 3 MiB beside the one of 2 that is kept, in the arena: %s", next.Value)
	}
	h.end()
	for want, r := range map[string]worker.Result{texts[1]: second, texts[2]: fourth, texts[0]: own} {
		got, err := r.Region.Copy()
		if err != nil || string(got) != want {
			t.Errorf("after the worker's end: %d bytes, whole %v, %v", len(got), string(got) == want, err)
		}
		r.Region.Release()
		if _, err := r.Region.Copy(); !errors.Is(err, worker.ErrReleased) {
			t.Errorf("after its release: %v", err)
		}
	}
}

// Arguments that wait for a worker which does not read lie in the arena as long as
// there is room; each arrives as it was, those that were taken back never.
func TestArgumentsWait(t *testing.T) {
	leaktest.Check(t)
	h := sharing(t, false)
	for round := range byte(3) { // as much room as at first, each time
		h.stop()
		var ids []uint64
		for i := range byte(6) {
			ids = append(ids, h.offer("echo", letters(10*round+i, mebibyte+int(i))))
		}
		if !h.withdraw(ids[1]) || !h.withdraw(ids[4]) {
			t.Fatal("a stopped worker has begun them")
		}
		if err := h.process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		for i, id := range ids {
			r := h.result(id)
			h.settle(r)
			if skipped := i == 1 || i == 4; r.Skipped != skipped || !skipped && string(r.Value) != letters(10*round+byte(i), mebibyte+i) {
				t.Errorf("round %d, task %d: %d bytes, %+v", round, i, len(r.Value), r.Failure)
			}
		}
	}
	if got := h.succeeds("shared", letters(0, 4*mebibyte)); string(got.Value) != "true" {
		t.Error("not all room was given back")
	}
	h.end()
}

// Memory that a task took and did not return is there for the next.
func TestWaste(t *testing.T) {
	h := sharing(t, false)
	for range 5 {
		for _, how := range []string{"error", "panic"} {
			r := h.result(h.offer("waste", how))
			if r.Failure == nil || r.Failure.Message == "no room" {
				t.Fatalf("got %+v", r.Failure)
			}
		}
	}
	h.succeeds("build", "x")
}

// arenaOf is what an impostor shares with its host: as a real worker would, it has the
// whole of it.
type arenaOf struct {
	*impostor
	file    *os.File
	results []byte
}

// openSharing opens a link to an impostor with an arena of 4 MiB each way.
func openSharing(t *testing.T, receiver worker.Receiver) (*worker.Link, *arenaOf) {
	t.Helper()
	link, i, files := openImpostorFiles(t, worker.LinkConfig{Worker: 7, Limit: 3 * mebibyte, Arena: 8 * mebibyte, Receiver: receiver})
	a := &arenaOf{impostor: i, file: files[5]}
	info, err := a.file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := unix.Mmap(int(a.file.Fd()), 0, int(info.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(whole) })
	a.results = whole[len(whole)-4*mebibyte:]
	i.write(i.answer(func(h *wire.Hello) { h.Arena = 8*mebibyte + os.Getpagesize() }))
	return link, a
}

// valueAt is a result that is to be in a region.
func valueAt(slot uint16, id uint64, r wire.Region) []byte {
	head := wire.AppendResultHead(nil, wire.Header{Kind: wire.KindValueAt, Slot: slot, ID: id}, time.Second, wire.RegionSize)
	return wire.AppendRegion(head, r)
}

// keeper is a receiver that keeps regions.
type keeper struct{ *watcher }

func (k keeper) Results(results []worker.Result) {
	for i := range results {
		if results[i].Region != nil {
			results[i].Region.Keep()
		}
	}
	k.watcher.Results(results)
}

// SEC-4, SEC-8, invariant 7: a worker that lies about where its result is ends, and
// its host reads nothing but the memory that they share. What it had said before counts.
func TestForgedRegions(t *testing.T) {
	page := uint64(os.Getpagesize())
	for name, test := range map[string]struct {
		region wire.Region
		reason string
	}{
		"beyond the end":           {wire.Region{Index: 1, Offset: 4*mebibyte - page, Size: 2 * page}, "beyond"},
		"far beyond":               {wire.Region{Index: 1, Offset: 1 << 62, Size: page}, "beyond"},
		"so large that it wraps":   {wire.Region{Index: 1, Offset: page, Size: -page}, "can be"},
		"over the limit":           {wire.Region{Index: 1, Size: 3*mebibyte + 1}, "can be"},
		"nothing":                  {wire.Region{Index: 1}, "can be"},
		"not at a page":            {wire.Region{Index: 1, Offset: 8, Size: 8}, "page"},
		"a number that is taken":   {wire.Region{Index: 0, Offset: 2 * mebibyte, Size: 8}, "number 0"},
		"a number that cannot be":  {wire.Region{Index: 256, Size: 8}, "number 256"},
		"an argument that is none": {wire.Region{Index: wire.OfArgument, Size: 8}, "argument is"},
	} {
		t.Run(name, func(t *testing.T) {
			leaktest.Check(t)
			w := newWatcher()
			link, a := openSharing(t, keeper{w})
			copy(a.results, "before")
			a.write(valueAt(3, 9, wire.Region{Size: 6}), valueAt(3, 10, test.region), valueFrame(3, 11, "after"))
			err, _ := receive(t, w.closed)
			var protocol *worker.ProtocolError
			if !errors.As(err, &protocol) || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("closed with %v, want a protocol error with %q", err, test.reason)
			}
			if len(w.results) != 1 || string(w.results[0].Value) != "before" {
				t.Fatalf("results %+v", w.results)
			}
			link.Close()
			if got, err := w.results[0].Region.Copy(); err != nil || string(got) != "before" {
				t.Errorf("what was kept: %q, %v", got, err)
			}
			w.results[0].Region.Release()
		})
	}
	t.Run("before it has mapped it", func(t *testing.T) {
		w := newWatcher()
		_, i, _ := openImpostorFiles(t, worker.LinkConfig{Worker: 7, Limit: mebibyte, Arena: 8 * mebibyte, Receiver: w})
		i.write(i.answer(nil), valueAt(1, 1, wire.Region{Size: 8}))
		if err, _ := receive(t, w.closed); err == nil || !strings.Contains(err.Error(), "nothing is shared") {
			t.Errorf("closed with %v", err)
		}
	})
}

// A worker that says that an argument's region is its result means its own argument,
// and not that of another task.
func TestForgedArgumentRegion(t *testing.T) {
	leaktest.Check(t)
	w := newWatcher()
	link, a := openSharing(t, w)
	eventually(t, "the handshake is over", func() bool {
		link.Offer(1, 1, "task", 0, []byte(letters(1, mebibyte)))
		link.Flush()
		header, payload, err := a.frames.Next()
		if err != nil {
			t.Fatal(err)
		}
		if header.Kind == wire.KindTask { // by the channel, when the answer was not read yet
			return false
		}
		if task, err := wire.ParseTask(payload); err != nil || header.Kind != wire.KindTaskAt || len(task.Argument) != wire.RegionSize {
			t.Fatalf("%+v, %v", header, err)
		}
		return true
	})
	argument := wire.Region{Index: wire.OfArgument, Size: mebibyte}
	a.write(valueAt(2, 1, argument))
	if err, _ := receive(t, w.closed); err == nil || !strings.Contains(err.Error(), "argument is") {
		t.Errorf("closed with %v", err)
	}
	link.Close()
}

// SEC-8: a worker can neither shorten the memory under its host's hands nor change what
// it may do with it.
func TestArenaIsSealed(t *testing.T) {
	_, a := openSharing(t, newWatcher())
	fd := int(a.file.Fd())
	info, err := a.file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"shorten":  unix.Ftruncate(fd, 0),
		"lengthen": unix.Ftruncate(fd, info.Size()+1),
		"seal":     func() error { _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE); return err }(),
	} {
		if !errors.Is(err, unix.EPERM) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Where the system allows no file of that size, nothing is shared, and all goes by the
// channel.
func TestNoArena(t *testing.T) {
	leaktest.Check(t)
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 4 * mebibyte, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	h := open(t, config{limit: 16 * mebibyte, arena: 8 * mebibyte})
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	h.run(config{})
	h.awaitReady()
	text := letters(1, 3*mebibyte)
	if r := h.succeeds("echo", text); string(r.Value) != text || r.Region != nil {
		t.Errorf("%d bytes came back, in the arena: %v", len(r.Value), r.Region != nil)
	}
	if r := h.result(h.offer("build", "x")); r.Failure == nil || r.Failure.Message != "no room" {
		t.Errorf("got %+v", r.Failure)
	}
	h.end()
}

// A worker that dies while an argument or a result is copied leaves what it had told.
func TestDeathWhileSharing(t *testing.T) {
	leaktest.Check(t)
	for round := range byte(20) {
		h := sharing(t, true)
		for i := range byte(8) {
			h.offer("echo", letters(round+i, mebibyte+int(i)*1000))
		}
		time.Sleep(time.Duration(round) * 200 * time.Microsecond)
		if err := h.process.Kill(); err != nil {
			t.Fatal(err)
		}
		receive(t, h.closed)
		for r := range h.results {
			want := letters(round+byte(r.ID-1), mebibyte+int(r.ID-1)*1000)
			if r.Region != nil {
				if again, err := r.Region.Copy(); err != nil || !bytes.Equal(again, r.Value) {
					t.Errorf("round %d: task %d's result has changed, %v", round, r.ID, err)
				}
				r.Region.Release()
			}
			if string(r.Value) != want {
				t.Errorf("round %d: task %d's result is torn", round, r.ID)
			}
		}
		h.end()
	}
}
