//go:build unix

package pool_test

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// TestWhyHungOfTheKilled: a task that was killed for its caller's context was
// asked as well; one that was killed at once was not.
func TestWhyHungOfTheKilled(t *testing.T) {
	p, g := newProcessPool(t, pool.Config{Workers: 1, Grace: 800 * time.Millisecond}), newGate(t)
	ctx, cancel := context.WithCancel(t.Context())
	f := hangAtGate.Submit(ctx, p, g.address())
	g.holds(t, 1) // it runs from the claim on, but hangs only now
	cancel()
	if err := failure[*pool.KilledError](t, f); !strings.Contains(err.Stack, "pool_test.hangingAtGate(") {
		t.Errorf("got %+v", err)
	}
	g.holds(t, 0)
	f = hangAtGate.Submit(t.Context(), p, g.address())
	g.holds(t, 1)
	f.Kill()
	if err := failure[*pool.KilledError](t, f); err.Stack != "" {
		t.Errorf("got %+v", err)
	}
}

// hangAtGate hangs in hangingAtGate, heedless of its context.
var hangAtGate = pool.NewTask("hangAtGate", func(_ context.Context, address string) (none, error) {
	return none{}, hangingAtGate(address)
})

func hangingAtGate(address string) error { return pass(context.Background(), address) }

// TestWhyHungWithoutGrace: without a grace there is no question.
func TestWhyHungWithoutGrace(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, TaskTimeout: 20 * time.Millisecond, Grace: pool.NoGrace})
	if err := failure[*pool.TimeoutError](t, hangIn.Submit(t.Context(), p, "hangSleeping")); err.Stack != "" {
		t.Errorf("got %+v", err)
	}
}

// TestWhyHungOfThePolite: a task that returns within its grace keeps its worker,
// though that was asked.
func TestWhyHungOfThePolite(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, TaskTimeout: 20 * time.Millisecond, Grace: patience})
	before := workerPID(t, p)
	for after := 300 * time.Millisecond; ; after *= 2 {
		err := failure[*pool.TimeoutError](t, slowToLeave.Submit(t.Context(), p, after))
		if err.Stack == "" && after < patience {
			t.Logf("gone before it was asked, after %v", after) // its own clock tells it that its time is up
			continue
		}
		if err.Err == nil || !strings.Contains(err.Stack, "whyhung_unix_test.go:") {
			t.Errorf("got %+v", err)
		}
		break
	}
	if after := workerPID(t, p); after != before {
		t.Errorf("the worker is %d, was %d", after, before)
	}
}

// slowToLeave heeds its context, after a while.
var slowToLeave = pool.NewTask("slowToLeave", func(ctx context.Context, d time.Duration) (none, error) {
	<-ctx.Done()
	time.Sleep(d)
	return none{}, ctx.Err()
})

// TestWhyHungByDump: a worker whose runtime cannot stop the task's goroutine
// cannot answer. It prints its stacks, and ends no later than at its grace's end.
func TestWhyHungByDump(t *testing.T) {
	t.Setenv("GODEBUG", "asyncpreemptoff=1") // for the workers: a loop without calls is never interrupted
	const limit = 50 * time.Millisecond
	dumps := func(grace time.Duration) bool {
		p := newProcessPool(t, pool.Config{Workers: 2, TaskTimeout: limit, Grace: grace, Spares: pool.NoSpares})
		for range 2 {
			err := failure[*pool.TimeoutError](t, spin.Submit(t.Context(), p, none{}))
			if whole := strings.HasPrefix(err.Stack, "SIGQUIT: quit") && strings.Contains(err.Stack, "goroutine "); !whole && grace < patience {
				return false // what is left of the grace was too short for it
			} else if !whole {
				t.Errorf("got %+v", err)
			}
			if err.Elapsed < limit+grace*3/4 || alive(err.PID) {
				t.Errorf("it ended after %v", err.Elapsed)
			}
		}
		eventually(t, "both are replaced", func() bool { return p.Stats().Ready == 2 })
		return true
	}
	for grace := 400 * time.Millisecond; !dumps(grace); grace *= 2 {
		t.Logf("not within a quarter of %v", grace)
	}
}

// TestWhyHungOfTheStopped: a worker that was stopped answers nothing, and is
// killed all the same. MT-1, ER-1: at the end of its grace, and not before.
func TestWhyHungOfTheStopped(t *testing.T) {
	const limit, grace = 50 * time.Millisecond, 250 * time.Millisecond
	p := newProcessPool(t, pool.Config{Workers: 1, TaskTimeout: limit, Grace: grace})
	f := stopSelf.Submit(t.Context(), p, none{})
	running(t, f)
	err := failure[*pool.TimeoutError](t, f)
	if err.Stack != "" || err.Elapsed < limit+grace || alive(err.PID) {
		t.Errorf("got %+v", err)
	}
	eventually(t, "nobody was harmed", func() bool { return value(t, double.Submit(t.Context(), p, 4)) == 8 })
}

// TestWhyHungLateReturn: a task that returns when its worker is already printing
// its stacks has returned; the worker ends, and gets nothing more to do.
func TestWhyHungLateReturn(t *testing.T) {
	t.Setenv("GODEBUG", "asyncpreemptoff=1")
	const limit, grace = 10 * time.Millisecond, 40 * time.Millisecond
	p := newProcessPool(t, pool.Config{Workers: 1, Grace: grace})
	for round := range 20 {
		spinning := spinFor.Submit(t.Context(), p, limit+grace*3/4+time.Duration(round-10)*200*time.Microsecond, pool.WithTimeout(limit))
		after := double.Submit(t.Context(), p, round)
		_, _ = result(t, spinning)
		if got := value(t, after); got != 2*round {
			t.Errorf("behind it, double %d is %d", round, got)
		}
	}
	if s := p.Stats(); s.Lost != 0 {
		t.Errorf("the figures: %+v", s)
	}
}

// spinFor spins, without a call that could be interrupted.
var spinFor = pool.NewTask("spinFor", func(_ context.Context, d time.Duration) (none, error) {
	var now syscall.Timeval
	if err := syscall.Gettimeofday(&now); err != nil {
		return none{}, err
	}
	for end := now.Nano() + int64(d); now.Nano() < end; {
		_ = syscall.Gettimeofday(&now)
	}
	return none{}, nil
})
