//go:build unix

package pool_test

import (
	"context"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// TestQueueTimeoutSentAhead: a task that was sent ahead to a worker, and stands
// there behind another, has not begun: it is taken back by its claim.
func TestQueueTimeoutSentAhead(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	for n := range 200 { // so that tasks are sent ahead
		value(t, double.Submit(t.Context(), p, n))
	}
	worker := workerPID(t, p)
	hung := spin.Submit(t.Context(), p, none{})
	var ahead []*futures.Future[int]
	for n := range 30 {
		ahead = append(ahead, double.Submit(t.Context(), p, n, pool.WithQueueTimeout(50*time.Millisecond)))
	}
	for _, f := range ahead {
		failure[*pool.QueueTimeoutError](t, f)
	}
	if running(t, hung); !alive(worker) {
		t.Error("the worker was killed for those that waited for it")
	}
	hung.Kill()
	failure[*pool.KilledError](t, hung)
}

// TestQueueTimeoutAtAnyMoment: a task that begins in the moment in which its time
// to wait is up has one outcome.
func TestQueueTimeoutAtAnyMoment(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2})
	ran, late := 0, 0
	for range 20 {
		var fs []*futures.Future[int]
		for n := range 200 {
			fs = append(fs, double.Submit(t.Context(), p, n, pool.WithQueueTimeout(time.Duration(1+n*5)*time.Microsecond)))
		}
		for n, f := range fs {
			got, err := result(t, f)
			switch {
			case err == nil && got == 2*n:
				ran++
			case f.State() == futures.Cancelled:
				failure[*pool.QueueTimeoutError](t, f)
				late++
			default:
				t.Errorf("double %d is %d, %v", n, got, err)
			}
		}
	}
	s := p.Stats()
	if int(s.Succeeded) != ran || int(s.Cancelled) != late {
		t.Errorf("ran %d, late %d, the figures: %+v", ran, late, s)
	}
	t.Logf("%d ran, %d were late", ran, late)
}

// TestSilenceGrace: a silent task is asked first, as at its deadline.
func TestSilenceGrace(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, SilenceTimeout: 30 * time.Millisecond, Grace: patience})
	before := workerPID(t, p)
	if got := value(t, untilCancelled.Submit(t.Context(), p, none{})); got != context.Canceled.Error() {
		t.Errorf("got %q", got)
	}
	if err := failure[*pool.SilenceError](t, sleep.Submit(t.Context(), p, time.Hour)); err.Err == nil || err.PID != before {
		t.Errorf("got %+v", err)
	}
	if after := workerPID(t, p); after != before {
		t.Errorf("the worker is %d, was %d", after, before)
	}
}

// TestEndless: a limit that is too long for a sum is none, and waits for nothing.
func TestEndless(t *testing.T) {
	const endless = 1<<63 - 1
	for _, open := range []func() pool.Pool{
		func() pool.Pool {
			return newProcessPool(t, pool.Config{
				Workers: 1, TaskTimeout: endless, QueueTimeout: endless, SilenceTimeout: endless, StartTimeout: endless,
				StopTimeout: endless, FailureWindow: endless, Grace: endless, Initializer: notebooks.With(logConfig{File: t.TempDir() + "/log"}),
			})
		},
		func() pool.Pool {
			return newGoroutinePool(t, pool.Config{Workers: 1, TaskTimeout: endless, QueueTimeout: endless, SilenceTimeout: endless})
		},
	} {
		p := open()
		first := sleep.Submit(t.Context(), p, 20*time.Millisecond)
		var fs []*futures.Future[int]
		for n := range 100 {
			fs = append(fs, double.Submit(t.Context(), p, n, pool.WithQueueTimeout(endless-time.Duration(n))))
		}
		value(t, first)
		for n, f := range fs {
			if got := value(t, f); got != 2*n {
				t.Errorf("double %d is %d", n, got)
			}
		}
	}
}
