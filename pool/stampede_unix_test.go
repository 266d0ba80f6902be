//go:build unix

package pool_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// TestManyDeadlinesAtOnce: the deadlines of many tasks at one moment end these, and
// nothing else; their workers are replaced once each, at the stated rate.
func TestManyDeadlinesAtOnce(t *testing.T) {
	const workers = 24
	begin := time.Now()
	p := newProcessPool(t, pool.Config{Workers: workers, Spares: pool.NoSpares, Grace: pool.NoGrace})
	eventually(t, "all are ready", func() bool { return p.Stats().Ready == workers })
	var hung []*futures.Future[none]
	var behind []*futures.Future[int]
	for range workers {
		hung = append(hung, sleepOn.Submit(t.Context(), p, time.Hour, pool.WithTimeout(300*time.Millisecond)))
	}
	for n := range 4 * workers {
		behind = append(behind, double.Submit(t.Context(), p, n))
	}
	for _, f := range hung {
		failure[*pool.TimeoutError](t, f)
	}
	for n, f := range behind {
		if got := value(t, f); got != 2*n {
			t.Errorf("double %d is %d", n, got)
		}
	}
	eventually(t, "all are replaced", func() bool { return p.Stats().Ready == workers })
	s := p.Stats()
	if s.Started != 2*workers || s.TimedOut != workers || s.Failed != workers {
		t.Errorf("%+v", s)
	}
	since := time.Since(begin)
	if most := actors.StartBurst + since.Seconds()*actors.StartRate*float64(runtime.GOMAXPROCS(0)); float64(s.Started) > most {
		t.Errorf("%d starts in %v", s.Started, since)
	}
}

// TestShortBehindLong: a short task that was sent ahead and stands behind one that
// hangs is not kept waiting for more than 10 ms while another worker is idle. The
// same tasks without the one that hangs tell what this machine needs anyway.
func TestShortBehindLong(t *testing.T) {
	const rounds, n, most = 15, 400, 10 * time.Millisecond
	p := newProcessPool(t, pool.Config{Workers: 2})
	var with, without []time.Duration
	run := func(hang bool) (took time.Duration) {
		eventually(t, "both are idle", func() bool { s := p.Stats(); return s.Ready == 2 && s.Running == 0 })
		var fs []*futures.Future[int]
		var hung *futures.Future[none]
		begin := time.Now()
		for i := range n {
			if hang && i == n/2 {
				hung = spin.Submit(t.Context(), p, none{})
			}
			fs = append(fs, double.Submit(t.Context(), p, i))
		}
		for i, f := range fs {
			if got := value(t, f); got != 2*i {
				t.Fatalf("double %d is %d", i, got)
			}
		}
		took = time.Since(begin)
		if hang {
			if !running(t, hung).Kill() {
				t.Fatal("the hung task cannot be killed")
			}
			failure[*pool.KilledError](t, hung)
		}
		return took
	}
	for range rounds {
		run(false) // to warm: the pool learns that it may send ahead
		without = append(without, run(false))
		with = append(with, run(true))
	}
	// One worker does what two did, beside a task that spins.
	limit := 4*quantile(without, 0.5) + most
	t.Logf("%v with a task that hangs, %v without, p50", quantile(with, 0.5), quantile(without, 0.5))
	if took := quantile(with, 0.5); took > limit {
		t.Errorf("%v beside a task that hangs, more than %v", took, limit)
	}
}

// TestRunningIsBegun: what was sent ahead to a worker says that it runs only when it
// does, and can be cancelled until then.
func TestRunningIsBegun(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	for n := range 500 { // the pool learns that it may send ahead
		value(t, double.Submit(t.Context(), p, n))
	}
	for range 5 {
		var before, behind []*futures.Future[int]
		for n := range 50 {
			before = append(before, double.Submit(t.Context(), p, n))
		}
		hung := untilCancelledBy(t, p)
		for n := range 50 {
			behind = append(behind, double.Submit(t.Context(), p, n))
		}
		running(t, hung.future)
		for n, f := range before {
			if got := value(t, f); got != 2*n {
				t.Fatalf("double %d is %d", n, got)
			}
		}
		for n, f := range behind {
			if s := f.State(); s != futures.Pending {
				t.Fatalf("task %d behind it is %v", n, s)
			}
			if n%2 == 0 && !f.Cancel() {
				t.Errorf("task %d behind it cannot be cancelled", n)
			}
		}
		hung.end()
		value(t, hung.future)
		for n, f := range behind {
			if n%2 == 1 {
				if got := value(t, f); got != 2*n {
					t.Errorf("double %d is %d", n, got)
				}
			}
		}
	}
}

// unending is a task that runs until it is told to end.
type unending struct {
	future *futures.Future[string]
	end    func()
}

func untilCancelledBy(t *testing.T, p pool.Pool) unending {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return unending{untilCancelled.Submit(ctx, p, none{}), cancel}
}
