//go:build unix

package pool_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

var errWhy = errors.New("the caller's reason")

// TestCallersContextPending: the end of the caller's context cancels what has
// not begun, at once, with its cause.
func TestCallersContextPending(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	hung := running(t, spin.Submit(t.Context(), p, none{}))
	defer hung.Kill()

	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errWhy)
	f := double.Submit(ended, p, 1)
	if err := failure[*futures.CancelledError](t, f); !errors.Is(err, errWhy) {
		t.Errorf("with an ended context: %v", err)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	f = double.Submit(ctx, p, 1)
	cancel(errWhy)
	if err := failure[*futures.CancelledError](t, f); !errors.Is(err, errWhy) || f.State() != futures.Cancelled {
		t.Errorf("cancelled with a cause: %v", err)
	}

	limited, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	f = double.Submit(limited, p, 1)
	if err := failure[*futures.CancelledError](t, f); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("over its deadline: %v", err)
	}
	if hung.State() != futures.Running {
		t.Errorf("the running task is %v", hung.State())
	}
}

// TestCallersContextRunning: a running task's own context ends with its
// caller's, and then its worker is killed.
func TestCallersContextRunning(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, Grace: 20 * time.Millisecond})
	for name, begin := range map[string]func(time.Duration) (ctx context.Context, end func(), matches error){
		"cancelled": func(time.Duration) (context.Context, func(), error) {
			ctx, cancel := context.WithCancel(context.Background())
			return ctx, cancel, context.Canceled
		},
		"cancelled with a cause": func(time.Duration) (context.Context, func(), error) {
			ctx, cancel := context.WithCancelCause(context.Background())
			return ctx, func() { cancel(errWhy) }, errWhy
		},
		"over its deadline": func(timeout time.Duration) (context.Context, func(), error) {
			ctx, cancel := context.WithTimeout(context.Background(), timeout)
			return ctx, func() { <-ctx.Done(); cancel() }, context.DeadlineExceeded
		},
	} {
		t.Run(name, func(t *testing.T) {
			before, f, matches := runUnder(t, p, begin)
			err := failure[*pool.KilledError](t, f)
			if alive(before) {
				t.Error("the future has failed and its worker lives")
			}
			if err.PID != before || err.Elapsed <= 0 || err.Err != nil || !errors.Is(err.Cause, matches) {
				t.Errorf("got %+v", err)
			}
			if !errors.Is(err, matches) || !errors.Is(err, pool.ErrKilled) {
				t.Errorf("what the error matches: %v", err)
			}
		})
	}
}

// runUnder has a task spin under a context that it ends, and returns it with its
// worker. If the context has a deadline, it is one before which the task has begun,
// however slow the machine is.
func runUnder(t *testing.T, p *pool.ProcessPool, begin func(time.Duration) (context.Context, func(), error)) (worker int, f *future, want error) {
	t.Helper()
	for timeout := 50 * time.Millisecond; ; timeout *= 2 {
		worker = workerPID(t, p)
		ctx, end, want := begin(timeout)
		f = spin.Submit(ctx, p, none{})
		var state futures.State
		eventually(t, "the task has begun, or is over", func() bool { state = f.State(); return state != futures.Pending })
		if state == futures.Running || ctx.Err() == nil || timeout >= patience {
			end()
			return worker, f, want
		}
		t.Logf("not begun, or not seen to run, within %v: %v", timeout, state)
		end()
		awaitSettled(t, f)
	}
}

// TestCallersContextHeeded: a task that heeds the end of its caller's context
// keeps its worker.
func TestCallersContextHeeded(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, Grace: patience})
	before := workerPID(t, p)
	t.Run("with an error", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		f := running(t, sleep.Submit(ctx, p, time.Hour))
		cancel(errWhy)
		err := failure[*pool.KilledError](t, f)
		if !errors.Is(err.Cause, errWhy) || !errors.Is(err.Err, context.Canceled) || err.PID != before {
			t.Errorf("got %+v", err)
		}
	})
	t.Run("with a value", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := running(t, untilCancelled.Submit(ctx, p, none{}))
		cancel()
		if got := value(t, f); got != context.Canceled.Error() {
			t.Errorf("got %q", got)
		}
	})
	t.Run("after it has ended", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		value(t, double.Submit(ctx, p, 1))
		cancel()
	})
	if after := workerPID(t, p); after != before {
		t.Errorf("the worker is %d, was %d", after, before)
	}
}

// TestContextEndsAtAnyMoment ends contexts of tiny tasks at any moment of their
// lives. Those that are not ended succeed, and none is left.
func TestContextEndsAtAnyMoment(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2, Grace: time.Millisecond})
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		ended, bystander := double.Submit(ctx, p, 1), double.Submit(t.Context(), p, 2)
		go cancel()
		awaitSettled(t, ended)
		if got := value(t, bystander); got != 4 {
			t.Fatalf("the bystander got %d", got)
		}
	}
	// One after another at one worker, of which the second has begun before the
	// end of the first is known: the end of its context must not be lost.
	for range 60 {
		ctx, cancel := context.WithCancel(t.Context())
		for range 20 {
			double.Submit(t.Context(), p, 1)
		}
		f := sleepOn.Submit(ctx, p, time.Hour)
		eventually(t, "it has begun", func() bool { return f.State() != futures.Pending })
		cancel()
		awaitSettled(t, f)
	}
}
