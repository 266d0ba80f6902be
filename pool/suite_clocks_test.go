package pool_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// beating is the argument of beats.
type beating struct {
	Every, For time.Duration
	Then       time.Duration // silence after that
}

var (
	// beats gives signs of life for a while, and then none.
	beats = pool.NewTask("beats", func(ctx context.Context, b beating) (none, error) {
		for from := time.Now(); time.Since(from) < b.For; time.Sleep(b.Every) {
			pool.Heartbeat(ctx)
		}
		time.Sleep(b.Then)
		return none{}, nil
	})
	// strayBeats leaves a goroutine behind that beats on.
	strayBeats = pool.NewTask("strayBeats", func(ctx context.Context, d time.Duration) (none, error) {
		pool.Heartbeat(ctx)
		go func() {
			for from := time.Now(); time.Since(from) < d; time.Sleep(time.Millisecond) {
				pool.Heartbeat(ctx)
			}
		}()
		return none{}, nil
	})
)

// TestQueueTimeout: what waits for too long to be begun is cancelled, and says
// how long it has waited; what has begun is left alone.
func TestQueueTimeout(t *testing.T) {
	const limit = 50 * time.Millisecond
	overKinds(t, "in the queue", func(t *testing.T, open opener) {
		p, g, held := saturate(t, open, pool.Config{Workers: 1, QueueTimeout: limit})
		late := submit(t, p, 20)
		patient := double.Submit(t.Context(), p, 3, pool.WithQueueTimeout(0))
		later := double.Submit(t.Context(), p, 3, pool.WithQueueTimeout(3*limit))
		for _, f := range append(late, later) {
			err := failure[*pool.QueueTimeoutError](t, f)
			if err.Task != "double" || err.Waited < err.Limit || err.Limit < limit || !strings.Contains(err.Error(), err.Limit.String()) {
				t.Errorf("got %+v", err)
			}
			if f.State() != futures.Cancelled {
				t.Errorf("the future is %v", f.State())
			}
			matches(t, f, futures.ErrCancelled, context.DeadlineExceeded)
		}
		if held[0].State() != futures.Running || patient.State() != futures.Pending {
			t.Errorf("the held task is %v, the one without a limit %v", held[0].State(), patient.State())
		}
		g.open()
		value(t, held[0])
		if got := value(t, patient); got != 6 {
			t.Errorf("got %d", got)
		}
		if s := p.Stats(); s.Cancelled != 21 || s.Failed != 0 {
			t.Errorf("the figures: %+v", s)
		}
	})
	overKinds(t, "in a bounded queue", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1, Queue: 1, WhenFull: pool.Refuse})
		for range 3 {
			failure[*pool.QueueTimeoutError](t, double.Submit(t.Context(), p, 1, pool.WithQueueTimeout(time.Millisecond)))
		}
		g.open()
	})
	overKinds(t, "of tasks that are begun in time", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2, QueueTimeout: patience})
		doubled(t, submit(t, p, 2000))
	})
	overKinds(t, "with limits in any order", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1})
		var fs []*futures.Future[int]
		for n := range 50 {
			fs = append(fs, double.Submit(t.Context(), p, n, pool.WithQueueTimeout(time.Duration(1+n*37%50)*time.Millisecond)))
		}
		cancelled := fs[7].Cancel()
		for n, f := range fs {
			if n != 7 || !cancelled {
				failure[*pool.QueueTimeoutError](t, f)
			}
		}
		g.open()
	})
}

// TestSilence: a running task is ended when it has given no sign of life for its
// limit, however long it has run.
func TestSilence(t *testing.T) {
	const limit = 300 * time.Millisecond
	overKinds(t, "a hung task", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, SilenceTimeout: limit, Grace: 10 * time.Millisecond})
		f := sleepOn.Submit(t.Context(), p, 2*time.Second)
		after := double.Submit(t.Context(), p, 4)
		err := failure[*pool.SilenceError](t, f)
		if err.Limit != limit || err.Elapsed < limit || err.Task != "sleepOn" || err.Worker == 0 || err.Err != nil || !err.Timeout() {
			t.Errorf("got %+v", err)
		}
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, pool.ErrKilled) {
			t.Errorf("what the error matches: %v", err)
		}
		if got := value(t, after); got != 8 {
			t.Errorf("the task behind it: %d", got)
		}
		if s := p.Stats(); s.TimedOut != 1 {
			t.Errorf("the figures: %+v", s)
		}
	})
	overKinds(t, "one that beats", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, SilenceTimeout: limit})
		value(t, beats.Submit(t.Context(), p, beating{Every: limit / 30, For: 3 * limit}))
	})
	overKinds(t, "one that stops beating", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, Grace: 10 * time.Millisecond})
		f := beats.Submit(t.Context(), p, beating{Every: limit / 30, For: 2 * limit, Then: 2 * time.Second}, pool.WithSilenceTimeout(limit))
		if err := failure[*pool.SilenceError](t, f); err.Elapsed < 2*limit {
			t.Errorf("it ended after %v", err.Elapsed)
		}
	})
	overKinds(t, "one that is over its deadline first", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, SilenceTimeout: patience, Grace: 10 * time.Millisecond})
		failure[*pool.TimeoutError](t, sleepOn.Submit(t.Context(), p, 2*time.Second, pool.WithTimeout(limit)))
		failure[*pool.SilenceError](t, sleepOn.Submit(t.Context(), p, 2*time.Second, pool.WithTimeout(patience), pool.WithSilenceTimeout(limit)))
		value(t, sleepOn.Submit(t.Context(), p, 2*limit, pool.WithSilenceTimeout(0)))
	})
	overKinds(t, "the beats of another task", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, Grace: 10 * time.Millisecond})
		value(t, strayBeats.Submit(t.Context(), p, time.Second))
		failure[*pool.SilenceError](t, sleepOn.Submit(t.Context(), p, 2*time.Second, pool.WithSilenceTimeout(limit)))
	})
	overKinds(t, "many short tasks", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2, SilenceTimeout: patience, TaskTimeout: patience})
		doubled(t, submit(t, p, 2000))
	})
	pool.Heartbeat(t.Context()) // of no task
}
