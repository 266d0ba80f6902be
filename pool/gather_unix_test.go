//go:build unix

package pool_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/pool/pooltest"
	"github.com/stint-go/stint/runtime/worker"
)

// TestCrashBehindShortTasks: the results of short tasks leave their worker many in
// a write. One that ends its worker takes none of them along, nor what follows.
func TestCrashBehindShortTasks(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	for name, end := range map[string]func() *futures.Future[none]{
		"a kill":  func() *futures.Future[none] { return killSelf.Submit(t.Context(), p, syscall.SIGKILL) },
		"an exit": func() *futures.Future[none] { return exit.Submit(t.Context(), p, 3) },
		"a crash": func() *futures.Future[none] { return crash.Submit(t.Context(), p, "on purpose") },
		"a breach of the protocol": func() *futures.Future[none] {
			return writeRaw.Submit(t.Context(), p, []byte("GET / HTTP/1.1\r\nHost: example\r\n\r\n"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 15 {
				var fs []*futures.Future[int]
				var last *futures.Future[none]
				for n := range 500 {
					fs = append(fs, double.Submit(t.Context(), p, n))
					if n == 399 {
						last = end()
					}
				}
				failure[*pool.WorkerError](t, last)
				for n, f := range fs {
					if got := value(t, f); got != 2*n {
						t.Fatalf("double %d is %d", n, got)
					}
				}
			}
		})
	}
	if s := p.Stats(); s.Failed != 60 || s.Lost != 60 || s.Succeeded != 60*500 {
		t.Errorf("the figures: %+v", s)
	}
}

// TestShortTaskBeforeAStop: nor is a result lost that its worker had no time to
// send, since the next task stopped it: it is told with that one's end, or before.
func TestShortTaskBeforeAStop(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, Grace: pool.NoGrace})
	for range 10 {
		var fs []*futures.Future[int]
		for n := range 200 {
			fs = append(fs, double.Submit(t.Context(), p, n))
		}
		stopped := stopSelf.Submit(t.Context(), p, none{}, pool.WithTimeout(20*time.Millisecond))
		failure[*pool.TimeoutError](t, stopped)
		for n, f := range fs {
			if got := value(t, f); got != 2*n {
				t.Fatalf("double %d is %d", n, got)
			}
		}
	}
}

// TestStopBehindAShortTask: the deadline of a task that stops its worker stands, also if
// its host had last looked when the one before ran, which has none: it hears nothing more.
func TestStopBehindAShortTask(t *testing.T) {
	untilUndisturbed(t, func() (looked bool) { return stopsBehind(t) })
}

// stopsBehind has a short task stop in its worker, with one behind it that stops the worker
// once more. It reports whether that one has begun only after its host had looked.
func stopsBehind(t *testing.T) (looked bool) {
	t.Helper()
	const before = 500 // short ones, for others to be sent ahead
	var faults pooltest.Faults
	faults.Strike(1, worker.Strike{Step: worker.StepReturned, Nth: 1 + before + 2, Blow: worker.BlowStop})
	p := newProcessPool(t, pool.Config{Workers: 1, Grace: pool.NoGrace, Faults: &faults})
	pid := workerPID(t, p)
	var fs []*futures.Future[int]
	for n := range before {
		fs = append(fs, double.Submit(t.Context(), p, n))
	}
	for _, f := range fs {
		value(t, f)
	}
	first, last := double.Submit(t.Context(), p, 1), double.Submit(t.Context(), p, 2)
	stopped := stopSelf.Submit(t.Context(), p, none{}, pool.WithTimeout(20*time.Millisecond))
	value(t, first)
	eventually(t, "the last short one has returned", func() bool {
		return strings.HasPrefix(status(pid), "T") || stopped.State() != futures.Pending
	})
	time.Sleep(50 * time.Millisecond) // for its host to look
	looked = stopped.State() == futures.Pending
	if looked { // else the stop came so late that the other had begun, and its time may be up by now
		send(t, pid, syscall.SIGCONT)
	}
	failure[*pool.TimeoutError](t, stopped)
	if got := value(t, last); got != 4 {
		t.Errorf("double 2 is %d", got)
	}
	return looked
}

// TestShortTasksAndFailures: whatever becomes of short tasks that follow one another,
// each future gets its own outcome.
func TestShortTasksAndFailures(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2})
	var settled []func(t *testing.T)
	for n := range 3000 {
		switch n % 7 {
		default:
			f := double.Submit(t.Context(), p, n)
			settled = append(settled, func(t *testing.T) {
				if got := value(t, f); got != 2*n {
					t.Errorf("double %d is %d", n, got)
				}
			})
		case 1:
			f := fail.Submit(t.Context(), p, itoa(n))
			settled = append(settled, func(t *testing.T) {
				if err := failure[*pool.TaskError](t, f); err.Err.Error() != itoa(n) {
					t.Errorf("task %d failed with %v", n, err)
				}
			})
		case 2:
			f := panics.Submit(t.Context(), p, itoa(n))
			settled = append(settled, func(t *testing.T) {
				if err := failure[*pool.PanicError](t, f); err.Value != itoa(n) {
					t.Errorf("task %d panicked with %v", n, err)
				}
			})
		case 3:
			f := goexit.Submit(t.Context(), p, none{})
			settled = append(settled, func(t *testing.T) {
				if err := failure[*pool.TaskError](t, f); !errors.Is(err, pool.ErrGoexit) {
					t.Errorf("task %d: %v", n, err)
				}
			})
		case 4:
			f := double.Submit(t.Context(), p, n)
			cancelled := f.Cancel()
			settled = append(settled, func(t *testing.T) {
				if got, err := result(t, f); cancelled != errors.Is(err, context.Canceled) && cancelled != (f.State() == futures.Cancelled) || !cancelled && got != 2*n {
					t.Errorf("task %d, cancelled %t: %d, %v", n, cancelled, got, err)
				}
			})
		case 5:
			f := fill.Submit(t.Context(), p, 40_000*(n%2)) // too large to gather, or empty
			settled = append(settled, func(t *testing.T) {
				if got := value(t, f); len(got) != 40_000*(n%2) {
					t.Errorf("task %d has %d bytes", n, len(got))
				}
			})
		}
	}
	for _, check := range settled {
		check(t)
	}
}
