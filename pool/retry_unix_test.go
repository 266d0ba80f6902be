//go:build unix

package pool_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// flakyCrash ends its worker in its first attempts, and then returns its
// worker's pid.
var flakyCrash = pool.NewTask("flakyCrash", func(_ context.Context, t tries) (int, error) {
	n, err := t.attempt()
	if err == nil && n <= t.Bad {
		os.Exit(n)
	}
	return os.Getpid(), err
})

// TestRetryAfterDeath: a worker's death is followed by another attempt only
// where that was declared, and begins on another worker when the death is
// certain.
func TestRetryAfterDeath(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2})

	t.Run("declared", func(t *testing.T) {
		r := record(t, p)
		argument := failing(t, 2)
		f := flakyCrash.Submit(t.Context(), p, argument, pool.WithRetry(soon(9, nil)))
		last := value(t, f)
		if f.Attempts() != 3 {
			t.Errorf("%d attempts", f.Attempts())
		}
		hears(t, r, func(pool.TaskSettled) bool { return true }) // which comes after the others
		retried := of[pool.TaskRetried](r.soFar())
		if len(retried) != 2 {
			t.Fatalf("got %v", retried)
		}
		for n, e := range retried {
			err, ok := errors.AsType[*pool.WorkerError](e.Err)
			if !ok || err.Exit.Code != n+1 || err.PID == last || e.PID != err.PID || alive(e.PID) {
				t.Errorf("got %v", e)
			}
		}
		if retried[0].Worker == retried[1].Worker {
			t.Errorf("both attempts were on worker %d", retried[0].Worker)
		}
	})

	t.Run("not declared", func(t *testing.T) {
		argument := failing(t, 2)
		failure[*pool.WorkerError](t, flakyCrash.Submit(t.Context(), p, argument))
		failure[*pool.WorkerError](t, flakyCrash.Submit(t.Context(), p, argument, pool.WithRetry(soon(9, pool.OnTimeout))))
		if n, err := argument.attempt(); n != 3 {
			t.Errorf("it has run %d times, %v", n-1, err)
		}
	})

	t.Run("quarantined", func(t *testing.T) {
		before := p.Stats()
		f := flakyCrash.Submit(t.Context(), p, failing(t, 99), pool.WithRetry(soon(99, pool.OnAny)))
		err := failure[*pool.QuarantineError](t, f)
		if len(err.Attempts) != 3 || err.Workers != 3 || !errors.Is(err, pool.ErrWorkerDied) || err.Argument == 0 {
			t.Errorf("got %v", err)
		}
		if s := p.Stats(); s.Lost != before.Lost+1 || s.Quarantined != before.Quarantined+1 {
			t.Errorf("the figures: %+v", s)
		}
	})

	t.Run("LK-3 100 bad ones, then 100 good ones", func(t *testing.T) {
		for n := range 100 {
			switch n % 4 {
			case 0:
				exit.Submit(t.Context(), p, 1)
			case 1:
				takesChan.Submit(t.Context(), p, make(chan int))
			case 2:
				givesChan.Submit(t.Context(), p, none{})
			default:
				goexit.Submit(t.Context(), p, none{})
			}
		}
		doubled(t, submit(t, p, 100))
	})
}

// TestRetryOnBrokenPool: a task that waits for another attempt fails when no
// worker is left.
func TestRetryOnBrokenPool(t *testing.T) {
	startAs(t, "fails at times")
	marker := t.TempDir() + "/failing"
	t.Setenv(failingKey, marker)
	p := newProcessPool(t, pool.Config{Workers: 1, MaxFailures: 2})
	waits := between(t, t.Context(), p)
	if err := appendToFile(marker, ""); err != nil {
		t.Fatal(err)
	}
	failure[*pool.WorkerError](t, exit.Submit(t.Context(), p, 1))
	err := failure[*pool.RetryError](t, waits)
	if !errors.Is(err, pool.ErrBroken) || !errors.Is(err, errTest) || len(err.Attempts) != 1 {
		t.Errorf("got %v", err)
	}
}

// TestNestedPolicies: what cannot leave a worker process is refused there, and a
// death of the nested task's worker is tried again by the host.
func TestNestedPolicies(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	got := value(t, nestRetry.Submit(t.Context(), p, retryIn{"by functions of the caller's", failing(t, 1)}))
	if !strings.Contains(got, "1 attempts: failed, pool: WithRetry: a policy with functions of its own") {
		t.Errorf("got %q", got)
	}
	if attempts := value(t, nestCrash.Submit(t.Context(), p, failing(t, 2))); attempts != 3 {
		t.Errorf("%d attempts of the task that ends its workers", attempts)
	}
}

// nestCrash submits a task that ends its workers at first, and returns how many
// attempts it had.
var nestCrash = pool.NewTask("nestCrash", func(ctx context.Context, t tries) (int, error) {
	p, err := pool.From(ctx)
	if err != nil {
		return 0, err
	}
	f := flakyCrash.Submit(ctx, p, t, pool.WithRetry(pool.Retry{Attempts: 5, Delay: time.Millisecond}))
	_, err = f.Result(ctx)
	return f.Attempts(), err
})
