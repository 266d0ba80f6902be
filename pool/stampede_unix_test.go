//go:build unix

package pool_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// whenBegun is a task that tells when it began, by monotonic.
var whenBegun = pool.NewTask("whenBegun", func(context.Context, none) (time.Duration, error) { return monotonic() })

// monotonic reads CLOCK_MONOTONIC, which counts from the same moment in all processes.
func monotonic() (time.Duration, error) {
	var now unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return time.Duration(now.Nano()), err
}

// longestWait submits a row of short tasks, with one among them that hangs, or none,
// and returns how long one of the short ones has waited at most until it began.
func longestWait(t *testing.T, p pool.Pool, hang bool) (longest time.Duration) {
	t.Helper()
	const n = 400
	eventually(t, "both are idle", func() bool { s := p.Stats(); return s.Ready == 2 && s.Running == 0 })
	var hung *futures.Future[none]
	var fs [n]*futures.Future[time.Duration]
	var submitted [n]time.Duration
	for i := range n {
		if hang && i == n/2 {
			hung = spin.Submit(t.Context(), p, none{})
		}
		var err error
		if submitted[i], err = monotonic(); err != nil {
			t.Fatal(err)
		}
		fs[i] = whenBegun.Submit(t.Context(), p, none{})
	}
	for i, f := range fs {
		longest = max(longest, value(t, f)-submitted[i])
	}
	if hang {
		if !running(t, hung).Kill() {
			t.Fatal("the hung task cannot be killed")
		}
		failure[*pool.KilledError](t, hung)
	}
	return longest
}

// TestShortBehindLong: none of the short tasks that were sent ahead and stand behind
// one that hangs begins later than 10 ms after it was submitted, since another worker
// takes it over. How long the same tasks wait at most without the one that hangs
// tells what the machine is worth at the moment: nearly nothing if it is idle. Three
// quarters of the rounds must keep to that, so that a pause of the machine decides
// nothing.
func TestShortBehindLong(t *testing.T) {
	const rounds, most, quarters = 24, 10 * time.Millisecond, 0.75
	p := newProcessPool(t, pool.Config{Workers: 2})
	var with, without []time.Duration
	for range rounds {
		longestWait(t, p, false) // to warm: the pool learns that it may send ahead
		without = append(without, longestWait(t, p, false))
		with = append(with, longestWait(t, p, true))
	}
	// One worker does what two did, and has what it takes over in several parts.
	waited, raw := quantile(with, quarters), quantile(without, quarters)
	t.Logf("the longest wait: p50 %v, p75 %v, at most %v; without a task that hangs %v, %v, %v",
		quantile(with, 0.5), waited, quantile(with, 1), quantile(without, 0.5), raw, quantile(without, 1))
	if limit := most + 5*raw; waited > limit {
		t.Errorf("a short task waits for %v behind one that hangs, more than %v", waited, limit)
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
