//go:build unix

package pool_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// TestKill: Future.Kill in each state of a task.
func TestKill(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	before := workerPID(t, p)
	hung := running(t, spin.Submit(t.Context(), p, none{}))
	pending := spin.Submit(t.Context(), p, none{})
	after := double.Submit(t.Context(), p, 4)

	t.Run("pending: it is cancelled and never runs", func(t *testing.T) {
		if !pending.Kill() || pending.State() != futures.Cancelled {
			t.Errorf("the future is %v", pending.State())
		}
	})
	t.Run("running: Cancel refuses", func(t *testing.T) {
		if hung.Cancel() || hung.State() != futures.Running {
			t.Errorf("the future is %v", hung.State())
		}
	})
	t.Run("PB-2 PY-P-4 running: its worker ends first", func(t *testing.T) {
		if !hung.Kill() {
			t.Fatal("Kill refuses")
		}
		err := failure[*pool.KilledError](t, hung)
		if alive(before) {
			t.Error("the future has failed and its worker lives")
		}
		if err.PID != before || err.Worker == 0 || err.Elapsed <= 0 || err.Task != "spin" || err.Cause != nil || err.Err != nil {
			t.Errorf("got %+v", err)
		}
		if !errors.Is(err, pool.ErrKilled) || errors.Is(err, context.Canceled) || errors.Is(err, pool.ErrWorkerDied) {
			t.Errorf("what the error matches: %v", err)
		}
	})
	t.Run("what stood behind it runs", func(t *testing.T) {
		if got := value(t, after); got != 8 {
			t.Errorf("got %d", got)
		}
	})
	t.Run("settled: there is nothing to kill", func(t *testing.T) {
		worker := workerPID(t, p)
		if hung.Kill() || after.Kill() || hung.Cancel() || after.Cancel() {
			t.Error("a settled future was killed or cancelled")
		}
		if got := workerPID(t, p); got != worker {
			t.Errorf("the worker is %d, was %d", got, worker)
		}
	})
	if s := p.Stats(); s.Killed != 1 || s.Failed != 1 || s.Cancelled != 1 {
		t.Errorf("the figures: %+v", s)
	}
}

// TestKillStopped: a stopped worker is killed all the same.
func TestKillStopped(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	worker := workerPID(t, p)
	f := running(t, spin.Submit(t.Context(), p, none{}))
	stop(t, worker)
	if !f.Kill() {
		t.Fatal("Kill refuses")
	}
	failure[*pool.KilledError](t, f)
}

// TestKillDuringGrace: a kill does not wait for the end of the grace, and the
// first cause stands.
func TestKillDuringGrace(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, Grace: time.Hour})
	worker := workerPID(t, p)
	file := t.TempDir() + "/ended"
	ctx, cancel := context.WithCancelCause(t.Context())
	f := running(t, afterContext.Submit(ctx, p, file))
	cancel(errWhy)
	eventually(t, "its context has ended", func() bool { return len(lines(t, file)) == 1 })
	if !f.Kill() {
		t.Fatal("Kill refuses")
	}
	if err := failure[*pool.KilledError](t, f); !errors.Is(err, errWhy) {
		t.Errorf("got %v", err)
	}
	if alive(worker) {
		t.Error("the worker lives")
	}
}

// burn returns its argument after a moment of work.
var burn = pool.NewTask("burn", func(_ context.Context, n int) (int, error) {
	for begin := time.Now(); time.Since(begin) < 200*time.Microsecond; {
	}
	return n, nil
})

// TestKillHitsNobodyElse kills tiny tasks while they run, others of which have
// been sent ahead to the same worker: each that was not killed succeeds.
func TestKillHitsNobodyElse(t *testing.T) {
	const rounds, tasks = 15, 100
	p := newProcessPool(t, pool.Config{Workers: 2})
	kills := 0
	for range rounds {
		fs := make([]*futures.Future[int], tasks)
		killed := make([]bool, tasks)
		for n := range fs {
			fs[n] = burn.Submit(t.Context(), p, n)
		}
		for n := rand.N(tasks / 10); n < tasks; n += tasks / 10 {
			for fs[n].State() == futures.Pending {
				runtime.Gosched()
			}
			killed[n] = fs[n].Kill()
		}
		for n, f := range fs {
			got, err := result(t, f)
			switch {
			case err == nil && got == n: // also when the kill came too late
			case killed[n] && errors.Is(err, pool.ErrKilled):
				kills++
			default:
				t.Errorf("task %d (killed: %t) is %d, %v", n, killed[n], got, err)
			}
		}
	}
	if kills == 0 {
		t.Error("none was killed")
	}
	t.Logf("%d killed, %d workers started", kills, p.Stats().Started)
}

// TestKillAtAnyMoment kills tasks just after they were submitted, in whatever
// state they are.
func TestKillAtAnyMoment(t *testing.T) {
	const tasks = 2000
	p := newProcessPool(t, pool.Config{Workers: 2})
	fs := make([]*futures.Future[int], tasks)
	killed := make([]bool, tasks)
	for n := range fs {
		fs[n] = double.Submit(t.Context(), p, n)
		if n%20 == 0 {
			victim := n - rand.N(min(n+1, 20))
			killed[victim] = fs[victim].Kill() || killed[victim]
		}
	}
	for n, f := range fs {
		got, err := result(t, f)
		if _, cancelled := errors.AsType[*futures.CancelledError](err); err == nil && got == 2*n ||
			killed[n] && (cancelled || errors.Is(err, pool.ErrKilled)) {
			continue
		}
		t.Errorf("task %d (killed: %t) is %d, %v", n, killed[n], got, err)
	}
}

// TestCancelledNeverRan hammers Cancel against the beginning of tasks.
func TestCancelledNeverRan(t *testing.T) {
	const tasks = 3000
	p := newProcessPool(t, pool.Config{Workers: 2})
	log := t.TempDir() + "/log"
	fs := make([]*futures.Future[none], tasks)
	for n := range fs {
		fs[n] = appendLine.Submit(t.Context(), p, appendTo{log, itoa(n)})
		if n%2 == 0 {
			fs[max(0, n-rand.N(8))].Cancel()
		}
	}
	cancelled := 0
	for n, f := range fs {
		_, err := result(t, f)
		if f.State() == futures.Cancelled {
			cancelled++
		} else if err != nil {
			t.Fatalf("task %d: %v", n, err)
		}
	}
	ran := make(map[int]int)
	for _, line := range lines(t, log) {
		ran[atoi(line)]++
	}
	for n, f := range fs {
		if want := map[futures.State]int{futures.Succeeded: 1, futures.Cancelled: 0}[f.State()]; ran[n] != want {
			t.Errorf("task %d is %v and ran %d times", n, f.State(), ran[n])
		}
	}
	if cancelled == 0 || cancelled == tasks {
		t.Errorf("%d of %d were cancelled", cancelled, tasks)
	}
	if s := p.Stats(); s.Cancelled != uint64(cancelled) || s.Succeeded != uint64(tasks-cancelled) {
		t.Errorf("the figures: %+v", s)
	}
}
