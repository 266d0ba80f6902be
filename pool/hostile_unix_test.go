//go:build unix

package pool_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/runtime/worker"
)

// The descriptors of a worker's end of its channel. A task has no business with them;
// these tests play a worker that was taken over.
const (
	channelIn  = 3
	channelOut = 4
)

var (
	// writeRaw writes bytes into its worker's channel and goes on.
	writeRaw = pool.NewTask("writeRaw", func(_ context.Context, b []byte) (none, error) {
		err := writeChannel(b)
		time.Sleep(time.Hour)
		return none{}, err
	})
	// writeAndReturn writes bytes into its worker's channel and succeeds.
	writeAndReturn = pool.NewTask("writeAndReturn", func(_ context.Context, b []byte) (none, error) {
		return none{}, writeChannel(b)
	})
	// hangUp closes its worker's channel and sleeps on.
	hangUp = pool.NewTask("hangUp", func(context.Context, none) (none, error) {
		err := errors.Join(syscall.Shutdown(channelIn, syscall.SHUT_RDWR), syscall.Shutdown(channelOut, syscall.SHUT_RDWR))
		time.Sleep(time.Hour)
		return none{}, err
	})
	// hangUpHalf ends what its worker sends, and can still hear its host.
	hangUpHalf = pool.NewTask("hangUpHalf", func(context.Context, none) (none, error) {
		err := syscall.Shutdown(channelOut, syscall.SHUT_RDWR)
		time.Sleep(time.Hour)
		return none{}, err
	})
)

// deafen closes the socket by which its worker hears its host, once the worker waits
// there and so does not see that.
var deafen = pool.NewTask("deafen", func(context.Context, none) (none, error) {
	stacks := make([]byte, 1<<20)
	for !bytes.Contains(stacks, []byte("[IO wait")) {
		runtime.Stack(stacks, true)
	}
	return none{}, syscall.Close(channelIn)
})

// writeChannel writes all of the bytes: the channel takes what there is room for, and
// blocks nobody.
func writeChannel(b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Write(channelOut, b)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			room := []unix.PollFd{{Fd: channelOut, Events: unix.POLLOUT}}
			if _, err := unix.Poll(room, -1); err != nil && !errors.Is(err, unix.EINTR) {
				return err
			}
		case err != nil:
			return err
		default:
			b = b[n:]
		}
	}
	return nil
}

// Kinds of frames, as package wire numbers them.
const (
	kindHello   = 1
	kindTask    = 3
	kindValue   = 6
	kindFailure = 7
	kindSkipped = 8
	kindStack   = 10

	kindItems     = 13
	kindLastItems = 14
	kindProgress  = 17
	kindValueAt   = 20
)

// frame makes a frame as a worker would, of any kind.
func frame(kind byte, slot uint16, id uint64, payload []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(payload)))
	b = append(b, kind, 0)
	b = binary.LittleEndian.AppendUint16(b, slot)
	b = binary.LittleEndian.AppendUint64(b, id)
	return append(b, payload...)
}

// elapsed is what stands before a result: the time that the task took.
func elapsed(nanoseconds int64, result ...byte) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(nanoseconds)), result...)
}

// region is where a result is said to be in the memory that a worker shares.
func region(index uint32, offset, size uint64) []byte {
	b := binary.LittleEndian.AppendUint32(nil, index)
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, offset), size)
}

// emptyMap is the CBOR of none{}.
const emptyMap = 0xa0

// hostilePool is a pool of which one worker has a task that must come through
// whatever the others do. The first task submitted to it stands in slot 0 of its
// worker and has the number 1: a bystander that took 10 ms to begin may have been
// another worker's before, as its first.
func hostilePool(t *testing.T, workers int) (p *pool.ProcessPool) {
	t.Helper()
	untilUndisturbed(t, func() bool {
		p = newProcessPool(t, pool.Config{Workers: workers, Grace: 3 * time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		submitted := time.Now()
		bystander := running(t, untilCancelled.Submit(ctx, p, none{}))
		begun := time.Since(submitted)
		t.Cleanup(func() {
			cancel()
			value(t, bystander)
		})
		return begun < 10*time.Millisecond
	})
	return p
}

// TestForgery: a worker that sends what no worker sends is replaced; its task
// fails and says why, and nobody else's does.
func TestForgery(t *testing.T) {
	for name, bytes := range map[string][]byte{
		"garbage":                            []byte("GET / HTTP/1.1\r\nHost: example\r\n\r\n"),
		"zeros":                              make([]byte, 100),
		"an unknown kind":                    frame(200, 0, 1, nil),
		"a frame of four gigabytes":          append([]byte{0xff, 0xff, 0xff, 0xff}, frame(kindValue, 0, 1, nil)[4:]...),
		"hello again":                        frame(kindHello, 0, 0, []byte("stint\x00")),
		"a task for the host":                frame(kindTask, 0, 1, elapsed(1)),
		"a slot that there is not":           frame(kindValue, 65535, 1, elapsed(1, emptyMap)),
		"a result of a task of others":       frame(kindValue, 0, 77, elapsed(1, emptyMap)),
		"a result in another slot":           frame(kindValue, 1, 1, elapsed(1, emptyMap)),
		"a result of no task":                frame(kindValue, 0, 0, elapsed(1, emptyMap)),
		"a result without a time":            frame(kindValue, 0, 1, []byte{emptyMap}),
		"a result before its task":           frame(kindValue, 0, 1, elapsed(-1, emptyMap)),
		"a failure that is none":             frame(kindFailure, 0, 1, elapsed(1, 0xff)),
		"its task was skipped":               frame(kindSkipped, 0, 1, nil),
		"progress of a task of others":       frame(kindProgress, 0, 77, []byte{1}),
		"progress in another slot":           frame(kindProgress, 1, 1, []byte{1}),
		"progress in no slot":                frame(kindProgress, 65535, 1, []byte{1}),
		"progress without end":               frame(kindProgress, 0, 1, make([]byte, 64<<10+1)),
		"a stack that nobody asked for":      frame(kindStack, 0, 1, []byte("goroutine 1")),
		"a result beyond all memory":         frame(kindValueAt, 0, 1, elapsed(1, region(1, 1<<40, 100)...)),
		"a result of four gigabytes":         frame(kindValueAt, 0, 1, elapsed(1, region(1, 0, 1<<32)...)),
		"a result where nothing is":          frame(kindValueAt, 0, 1, elapsed(1, region(1<<32-1, 0, 100)...)),
		"no task was skipped":                frame(kindSkipped, 5, 0, nil),
		"a forged result behind a wrong one": append(frame(kindValue, 9, 9, elapsed(1, emptyMap)), frame(kindValue, 0, 1, elapsed(1, emptyMap))...),
	} {
		t.Run(name, func(t *testing.T) {
			p := hostilePool(t, 2)
			hostile := writeRaw.Submit(t.Context(), p, bytes)
			var others []*futures.Future[int]
			for n := range 50 {
				others = append(others, double.Submit(t.Context(), p, n))
			}
			err := failure[*pool.WorkerError](t, hostile)
			var protocol *worker.ProtocolError
			if !errors.As(err, &protocol) || err.PID == 0 || alive(err.PID) {
				t.Errorf("got %+v", err)
			}
			for n, f := range others {
				if got := value(t, f); got != 2*n {
					t.Errorf("double %d is %d", n, got)
				}
			}
			eventually(t, "the worker is replaced", func() bool { return p.Stats().Ready == 2 })
			if s := p.Stats(); s.Failed != 1 || s.Lost != 1 || s.Started != 3 {
				t.Errorf("the figures: %+v", s)
			}
		})
	}
}

// TestForgedResultAhead: a worker cannot answer for a task that it was sent and
// has not begun.
func TestForgedResultAhead(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	for n := range 50 { // one after another, in slot 0: then the pool sends ahead
		value(t, double.Submit(t.Context(), p, n))
	}
	first := workerPID(t, p) // number 51
	stop(t, first)
	ahead := double.Submit(t.Context(), p, 1)                                          // number 52 in slot 0
	hostile := writeRaw.Submit(t.Context(), p, frame(kindValue, 1, 54, elapsed(1, 7))) // number 53 in slot 0
	victim := double.Submit(t.Context(), p, 4)                                         // number 54 in slot 1
	send(t, first, syscall.SIGCONT)
	value(t, ahead)
	failure[*pool.WorkerError](t, hostile)
	if got := value(t, victim); got != 8 {
		t.Errorf("got %d", got)
	}
}

// TestHalfAFrame: what a task writes before its worker's own words spoils these.
func TestHalfAFrame(t *testing.T) {
	p := hostilePool(t, 2)
	err := failure[*pool.WorkerError](t, writeAndReturn.Submit(t.Context(), p, []byte("half")))
	var protocol *worker.ProtocolError
	if !errors.As(err, &protocol) {
		t.Errorf("got %v", err)
	}
	f := writeRaw.Submit(t.Context(), p, []byte("half"), pool.WithTimeout(50*time.Millisecond))
	failure[*pool.TimeoutError](t, f)
	if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 {
		t.Errorf("afterwards: %d", got)
	}
}

// TestForgedOwnResult: a worker can lie about its own task, and then has no
// worker's rights while it runs on: others take what it does not begin.
func TestForgedOwnResult(t *testing.T) {
	t.Parallel()
	p := hostilePool(t, 3)
	value(t, writeRaw.Submit(t.Context(), p, frame(kindValue, 0, 1, elapsed(1, emptyMap))))
	var fs []*futures.Future[int]
	for n := range 10 {
		fs = append(fs, double.Submit(t.Context(), p, n))
	}
	for n, f := range fs {
		if got := value(t, f); got != 2*n {
			t.Errorf("double %d is %d", n, got)
		}
	}
}

// TestClosedChannel: a worker that closes its channel is replaced at once.
func TestClosedChannel(t *testing.T) {
	for name, task := range map[string]*pool.Task[none, none]{"both ways": hangUp, "its own way": hangUpHalf} {
		t.Run(name, func(t *testing.T) {
			p := hostilePool(t, 2)
			hostile := task.Submit(t.Context(), p, none{})
			var others []*futures.Future[int]
			for n := range 50 {
				others = append(others, double.Submit(t.Context(), p, n))
			}
			err := failure[*pool.WorkerError](t, hostile)
			if err.PID == 0 || alive(err.PID) {
				t.Errorf("got %+v", err)
			}
			for n, f := range others {
				if got := value(t, f); got != 2*n {
					t.Errorf("double %d is %d", n, got)
				}
			}
			if s := p.Stats(); s.Failed != 1 || s.Lost != 1 {
				t.Errorf("the figures: %+v", s)
			}
		})
	}
}

// TestDeafWorker: a worker that cannot hear its host any more is found out by the next
// thing that is said to it. That is another worker's then.
func TestDeafWorker(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	heard := record(t, p)
	first := workerPID(t, p)
	value(t, deafen.Submit(t.Context(), p, none{}))
	if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 {
		t.Errorf("got %d", got)
	}
	end := hears(t, heard, func(e pool.WorkerExited) bool { return e.PID == first })
	if cause := end.Cause.String(); !strings.Contains(cause, "closed its channel") {
		t.Errorf("it ended because of %q", cause)
	}
}
