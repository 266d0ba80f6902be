//go:build unix

package pool_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// TestDeadlineKills: a hung task dies at its deadline, its own future alone
// fails, and only when its worker is gone.
func TestDeadlineKills(t *testing.T) {
	const limit, grace = 100 * time.Millisecond, 20 * time.Millisecond
	p := newProcessPool(t, pool.Config{Workers: 1, Grace: grace, Spares: pool.NoSpares})
	within := pool.WithTimeout(limit) // for those that hang alone: the others must end by themselves
	for name, submit := range map[string]func() *futures.Future[none]{
		"PB-1 it spins":  func() *futures.Future[none] { return spin.Submit(t.Context(), p, none{}, within) },
		"PB-1 it sleeps": func() *futures.Future[none] { return sleepOn.Submit(t.Context(), p, time.Hour, within) },
		"PB-3 it ignores SIGTERM": func() *futures.Future[none] {
			return ignoreTerm.Submit(t.Context(), p, none{}, within)
		},
		"it is stopped": func() *futures.Future[none] { return stopSelf.Submit(t.Context(), p, none{}, within) },
	} {
		t.Run(name, func(t *testing.T) {
			before := workerPID(t, p)
			f := submit()
			after := double.Submit(t.Context(), p, 4)
			err := failure[*pool.TimeoutError](t, f)
			if alive(before) {
				t.Error("the future has failed and its worker lives")
			}
			if err.PID != before || err.Worker == 0 || err.Limit != limit || err.Err != nil || err.Task == "" {
				t.Errorf("got %+v", err)
			}
			if err.Elapsed < limit+grace || err.Elapsed > limit+grace+patience {
				t.Errorf("it ran for %v", err.Elapsed)
			}
			if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, pool.ErrKilled) || !err.Timeout() {
				t.Errorf("what the error matches: %v", err)
			}
			if got := value(t, after); got != 8 {
				t.Errorf("the task behind it: %d", got)
			}
			if failure[*pool.TaskError](t, fail.Submit(t.Context(), p, "on purpose")).Worker == err.Worker {
				t.Error("the dead worker answers")
			}
		})
	}
	if s := p.Stats(); s.TimedOut != 4 || s.Failed != 8 || s.Started != 5 {
		t.Errorf("the figures: %+v", s)
	}
}

// TestNobodyWaitsForAHungTask: tasks that were sent ahead behind one that hangs
// run elsewhere, though it has no deadline at all.
func TestNobodyWaitsForAHungTask(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2})
	ctx := t.Context()
	for range 5 {
		var fs []*futures.Future[int]
		var hung *futures.Future[none]
		for n := range 2000 {
			fs = append(fs, double.Submit(ctx, p, n))
			if n == 1000 {
				hung = spin.Submit(ctx, p, none{})
			}
		}
		for n, f := range fs {
			if got := value(t, f); got != 2*n {
				t.Fatalf("double %d is %d", n, got)
			}
		}
		if !running(t, hung).Kill() {
			t.Fatal("the hung task cannot be killed")
		}
		failure[*pool.KilledError](t, hung)
	}
	if s := p.Stats(); s.Failed != 5 || s.Killed != 5 {
		t.Errorf("the figures: %+v", s)
	}
}

// TestGrace: what a task that heeds its context's end makes of it.
func TestGrace(t *testing.T) {
	const limit = 20 * time.Millisecond
	p := newProcessPool(t, pool.Config{Workers: 1, TaskTimeout: limit, Grace: patience})
	before := workerPID(t, p)
	t.Run("an error within the grace", func(t *testing.T) {
		for range 30 { // the worker's clock and the host's race for it
			err := failure[*pool.TimeoutError](t, sleep.Submit(t.Context(), p, time.Hour))
			if err.Err == nil || !errors.Is(err.Err, context.DeadlineExceeded) || err.PID != before || err.Elapsed < limit {
				t.Fatalf("got %+v", err)
			}
		}
	})
	t.Run("a value within the grace", func(t *testing.T) {
		for range 30 {
			if got := value(t, untilCancelled.Submit(t.Context(), p, none{})); got != context.DeadlineExceeded.Error() {
				t.Fatalf("got %q", got)
			}
		}
	})
	t.Run("an error of its own before its deadline", func(t *testing.T) {
		err := failure[*pool.TaskError](t, fail.Submit(t.Context(), p, "early", pool.WithTimeout(patience)))
		if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
	if after := workerPID(t, p); after != before {
		t.Errorf("the worker is %d, was %d", after, before)
	}
}

// TestNoGrace: the worker is killed at the deadline, without being asked.
func TestNoGrace(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, TaskTimeout: 50 * time.Millisecond, Grace: pool.NoGrace})
	before := value(t, pid.Submit(t.Context(), p, none{}, pool.WithTimeout(patience)))
	err := failure[*pool.TimeoutError](t, sleepOn.Submit(t.Context(), p, time.Hour))
	if err.PID != before || err.Err != nil || alive(before) {
		t.Errorf("got %+v", err)
	}
}

// TestWithTimeout: a call's own limit holds instead of the pool's.
func TestWithTimeout(t *testing.T) {
	const limit = 100 * time.Millisecond
	p := newProcessPool(t, pool.Config{Workers: 2, TaskTimeout: limit, Grace: pool.NoGrace})
	longer := sleepOn.Submit(t.Context(), p, 3*limit, pool.WithTimeout(patience))
	without := sleepOn.Submit(t.Context(), p, 3*limit, pool.WithTimeout(0))
	shorter := sleepOn.Submit(t.Context(), p, time.Hour, pool.WithTimeout(limit/10))
	value(t, longer)
	value(t, without)
	if err := failure[*pool.TimeoutError](t, shorter); err.Limit != limit/10 {
		t.Errorf("got %+v", err)
	}
}

// TestLimitCountsFromTheBeginning: waiting for a worker costs a task nothing of
// its time.
func TestLimitCountsFromTheBeginning(t *testing.T) {
	for limit := 400 * time.Millisecond; ; limit *= 2 {
		p := newProcessPool(t, pool.Config{Workers: 1, TaskTimeout: limit, Grace: pool.NoGrace})
		begun := time.Now() // no task can have begun before
		var fs []*futures.Future[int64]
		for range 4 {
			fs = append(fs, sleepTold.Submit(t.Context(), p, limit/3))
		}
		slow := false
		for _, f := range fs {
			ended, err := result(t, f)
			if err != nil {
				// It may have been in its own time, as slow as the machine is.
				if slow = limit < patience && time.Since(begun) >= limit; !slow {
					t.Fatalf("the task failed: %v", err)
				}
				t.Logf("too slow, and tried again: %v", err)
				break
			}
			begun = time.Unix(0, ended)
		}
		if !slow {
			return
		}
	}
}

// sleepTold sleeps and tells when it ends.
var sleepTold = pool.NewTask("sleepTold", func(_ context.Context, d time.Duration) (int64, error) {
	time.Sleep(d)
	return time.Now().UnixNano(), nil
})

// TestLimitOfALateBeginning: nor does a worker that is slow to begin it.
func TestLimitOfALateBeginning(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, Grace: pool.NoGrace})
	late := func(d, limit time.Duration) (f *futures.Future[none], begun time.Time) {
		worker := workerPID(t, p)
		stop(t, worker)
		f = sleepOn.Submit(t.Context(), p, d, pool.WithTimeout(limit))
		time.Sleep(2 * limit) // the time is the test
		if f.State() != futures.Pending {
			t.Fatalf("at a stopped worker the task is %v", f.State())
		}
		begun = time.Now() // it cannot have begun before
		send(t, worker, syscall.SIGCONT)
		return f, begun
	}
	limit := 200 * time.Millisecond
	for ; ; limit *= 2 {
		f, begun := late(limit/10, limit)
		_, err := result(t, f)
		if err == nil {
			break
		}
		// It may have been in its own time, as slow as the machine is. But a worker
		// that stands still for 5 s is given up.
		if limit > time.Second || time.Since(begun) < limit {
			t.Fatalf("the task failed: %v", err)
		}
		t.Logf("too slow, and tried again: %v", err)
	}
	f, _ := late(time.Hour, limit)
	if err := failure[*pool.TimeoutError](t, f); err.Elapsed < limit || err.Elapsed > limit+4*time.Second {
		t.Errorf("it ran for %v", err.Elapsed)
	}
}

// TestReturnAtTheEndOfTheGrace: a task may return in the moment in which its
// worker is killed. Either way it concerns nobody else.
func TestReturnAtTheEndOfTheGrace(t *testing.T) {
	const limit, grace = 4 * time.Millisecond, 4 * time.Millisecond
	p := newProcessPool(t, pool.Config{Workers: 1, Grace: grace})
	for round := range 80 {
		f := sleepOn.Submit(t.Context(), p, limit+grace+time.Duration(round-40)*20*time.Microsecond, pool.WithTimeout(limit))
		var behind []*futures.Future[int]
		for n := range 3 {
			behind = append(behind, double.Submit(t.Context(), p, n))
		}
		if _, err := result(t, f); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		for n, f := range behind {
			if got := value(t, f); got != 2*n {
				t.Errorf("behind it, double %d is %d", n, got)
			}
		}
	}
	t.Logf("%+v", p.Stats())
}

// TestStoppedWorker: a task that a stopped worker has not begun runs elsewhere.
func TestStoppedWorker(t *testing.T) {
	for name, limit := range map[string]time.Duration{"with a limit": patience, "without a limit": 0} {
		t.Run(name, func(t *testing.T) {
			p := newProcessPool(t, pool.Config{Workers: 2, TaskTimeout: limit, Spares: pool.NoSpares})
			eventually(t, "both are ready", func() bool { return p.Stats().Ready == 2 })
			stopped := workerPID(t, p)
			stop(t, stopped)
			for n := range 100 {
				if got := value(t, double.Submit(t.Context(), p, n)); got != 2*n {
					t.Fatalf("double %d is %d", n, got)
				}
			}
			send(t, stopped, syscall.SIGCONT)
			eventually(t, "it works again", func() bool {
				a, b := pid.Submit(t.Context(), p, none{}), pid.Submit(t.Context(), p, none{})
				return value(t, a) == stopped || value(t, b) == stopped
			})
			if s := p.Stats(); s.Failed != 0 || s.Started != 2 {
				t.Errorf("the figures: %+v", s)
			}
		})
	}
}
