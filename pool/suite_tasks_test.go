package pool_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

func TestTasks(t *testing.T) {
	overKinds(t, "PY-TP-1 15 times as many never exceed the workers", func(t *testing.T, open opener) {
		const workers = 3
		p, g, fs := saturate(t, open, pool.Config{Workers: workers})
		for range 14 * workers {
			fs = append(fs, hold.Submit(t.Context(), p, g.address()))
		}
		g.open()
		for _, f := range fs {
			value(t, f)
		}
		if entered, most := g.figures(); entered != 15*workers || most != workers {
			t.Errorf("%d tasks ran, %d at a time", entered, most)
		}
		if s := p.Stats(); s.Started != workers {
			t.Errorf("%+v", s)
		}
	})

	overKinds(t, "PY-TP-2 sequential tasks reuse one worker", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 4})
		workers := func() (all []int) {
			for range 50 {
				all = append(all, failure[*pool.TaskError](t, fail.Submit(t.Context(), p, "who?")).Worker)
			}
			return slices.Compact(all)
		}
		// One that comes later, since nobody waits for it, may be given a task, and so may any if this
		// machine does not let the one begin for 10 ms.
		all := workers()
		for rounds := 1; rounds < 20 && len(all) > 1; rounds++ {
			all = workers()
		}
		if len(all) > 1 {
			t.Errorf("workers %v, and more than one in all rounds before", all)
		}
	})

	overKinds(t, "PY-TP-6 10,000 tasks through 2 workers", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		doubled(t, submit(t, p, 10_000))
		if s := p.Stats(); s.Succeeded != 10_000 || s.Started != 2 {
			t.Errorf("%+v", s)
		}
	})

	overKinds(t, "a callback may submit the next", func(t *testing.T, open opener) {
		p, end := open(t, pool.Config{Workers: 2}), make(chan struct{})
		var next func(*futures.Future[int])
		next = func(f *futures.Future[int]) {
			if n, err := f.Result(t.Context()); err != nil || n >= 1<<20 {
				close(end)
			} else {
				double.Submit(t.Context(), p, n).OnDone(next)
			}
		}
		double.Submit(t.Context(), p, 1).OnDone(next)
		select {
		case <-end:
		case <-time.After(patience):
			t.Error("it has not come to an end")
		}
		if s := p.Stats(); s.Succeeded != 20 {
			t.Errorf("%+v", s)
		}
	})
}

func TestTaskErrors(t *testing.T) {
	overKinds(t, "an error", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		failed := failure[*pool.TaskError](t, fail.Submit(t.Context(), p, "boom"))
		if failed.Task != "fail" || failed.Worker != 1 || failed.Err.Error() != "boom" || failed.Elapsed <= 0 {
			t.Errorf("%#v", failed)
		}
		matches(t, failKnown.Submit(t.Context(), p, none{}), errTest)
		if s := p.Stats(); s.Failed != 2 || s.Lost != 0 || s.Started != 1 {
			t.Errorf("%+v", s)
		}
	})

	overKinds(t, "PY-PP-3 a panic, with its stack", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		panicked := failure[*pool.PanicError](t, panics.Submit(t.Context(), p, "boom"))
		if panicked.Task != "panics" || panicked.Value != "boom" || panicked.Type != "string" || !strings.Contains(panicked.Stack, "harness_test.go") {
			t.Errorf("%#v", panicked)
		}
		if s := p.Stats(); s.Failed != 1 || s.Started != 1 {
			t.Errorf("%+v", s)
		}
	})

	overKinds(t, "runtime.Goexit", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		for range 3 {
			matches(t, goexit.Submit(t.Context(), p, none{}), pool.ErrGoexit)
		}
		if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 {
			t.Errorf("afterwards: %d", got)
		}
	})

	overKinds(t, "what cannot be submitted", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		var noContext context.Context
		for what, f := range map[string]*futures.Future[int]{
			"a nil context":     double.Submit(noContext, p, 1),
			"a nil pool":        double.Submit(t.Context(), nil, 1),
			"a negative limit":  double.Submit(t.Context(), p, 1, pool.WithTimeout(-1)),
			"and the last wins": double.Submit(t.Context(), p, 1, pool.WithTimeout(1), pool.WithTimeout(-1)),
		} {
			_, err := result(t, f)
			if _, ok := errors.AsType[*pool.ConfigError](err); !ok || f.State() != futures.Failed {
				t.Errorf("%s: %v", what, err)
			}
		}
		if s := p.Stats(); s.Submitted != 0 || s.Settled() != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestTimeout(t *testing.T) {
	const short = 20 * time.Millisecond

	overKinds(t, "the pool's limit", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1, TaskTimeout: short, Grace: pool.NoGrace, Spares: pool.NoSpares}), newGate(t)
		f := holdOn.Submit(t.Context(), p, g.address())
		timeout := failure[*pool.TimeoutError](t, f)
		if timeout.Task != "holdOn" || timeout.Worker != 1 || timeout.Limit != short || timeout.Elapsed < short || !timeout.Timeout() {
			t.Errorf("%#v", timeout)
		}
		matches(t, f, context.DeadlineExceeded)
		if _, err := result(t, f); errors.Is(err, pool.ErrKilled) || errors.Is(err, pool.ErrWorkerDied) {
			t.Errorf("it matches too much: %v", err)
		}
		if got := value(t, double.Submit(t.Context(), p, 4, pool.WithTimeout(patience))); got != 8 {
			t.Errorf("afterwards: %d", got)
		}
		if s := p.Stats(); s.TimedOut != 1 || s.Failed != 1 || s.Killed != 0 || s.Lost != 0 || s.Started != 2 {
			t.Errorf("%+v", s)
		}
	})

	overKinds(t, "WithTimeout comes before it", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 2, TaskTimeout: time.Hour}), newGate(t)
		f := holdOn.Submit(t.Context(), p, g.address(), pool.WithTimeout(short))
		if got := failure[*pool.TimeoutError](t, f).Limit; got != short {
			t.Errorf("the limit was %v", got)
		}
	})

	overKinds(t, "WithTimeout(0) is none", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 2, TaskTimeout: short}), newGate(t)
		unlimited := hold.Submit(t.Context(), p, g.address(), pool.WithTimeout(0))
		g.holds(t, 1)
		failure[*pool.TimeoutError](t, sleep.Submit(t.Context(), p, time.Hour)) // the other's would be over, too
		g.open()
		value(t, unlimited)
	})

	overKinds(t, "it counts from the beginning, not from Submit", func(t *testing.T, open opener) {
		p, g, held := saturate(t, open, pool.Config{Workers: 1})
		queued := double.Submit(t.Context(), p, 1, pool.WithTimeout(500*time.Millisecond))
		timer := time.NewTimer(600 * time.Millisecond)
		<-timer.C
		g.open()
		value(t, held[0])
		value(t, queued)
	})

	overKinds(t, "the task's context has it", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, TaskTimeout: time.Hour})
		if left := value(t, deadline.Submit(t.Context(), p, none{})); left > time.Hour || left < time.Hour-time.Minute {
			t.Errorf("%v were left", left)
		}
		if left := value(t, deadline.Submit(t.Context(), p, none{}, pool.WithTimeout(0))); left != 0 {
			t.Errorf("without a limit %v were left", left)
		}
	})
}

// deadline returns how far off its context's deadline is; 0: it has none.
var deadline = pool.NewTask("deadline", func(ctx context.Context, _ none) (time.Duration, error) {
	at, ok := ctx.Deadline()
	if !ok {
		return 0, nil
	}
	return time.Until(at), nil
})

func TestCallersContext(t *testing.T) {
	why := errors.New("I have changed my mind")

	overKinds(t, "ends before the task begins: it never runs", func(t *testing.T, open opener) {
		p, g, held := saturate(t, open, pool.Config{Workers: 1})
		ctx, cancel := context.WithCancelCause(t.Context())
		queued := hold.Submit(ctx, p, g.address())
		cancel(why)
		matches(t, queued, futures.ErrCancelled, why)
		g.open()
		value(t, held[0])
		if entered, _ := g.figures(); entered != 1 {
			t.Errorf("%d tasks ran", entered)
		}
	})

	overKinds(t, "ends while the task runs", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		held := holdOn.Submit(ctx, p, g.address())
		g.holds(t, 1)
		cancel(why)
		killed := failure[*pool.KilledError](t, held)
		if killed.Cause != why || killed.Task != "holdOn" {
			t.Errorf("%#v", killed)
		}
		matches(t, held, pool.ErrKilled, why)
		if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 {
			t.Errorf("afterwards: %d", got)
		}
		if s := p.Stats(); s.Killed != 1 || s.Failed != 1 || s.TimedOut != 0 {
			t.Errorf("%+v", s)
		}
	})

	overKinds(t, "ends after the task: nothing happens", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		ctx, cancel := context.WithCancel(t.Context())
		f := double.Submit(ctx, p, 1)
		value(t, f)
		cancel()
		if f.State() != futures.Succeeded {
			t.Error(f.State())
		}
		if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 || p.Stats().Started != 1 {
			t.Errorf("%d, %+v", got, p.Stats())
		}
	})
}

func TestStatsAddUp(t *testing.T) {
	overKinds(t, "while it works and when it is closed", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 2})
		submit(t, p, 3)
		cancelled := double.Submit(t.Context(), p, 1)
		cancelled.Cancel()
		if s := p.Stats(); s.Workers != 2 || s.Ready != 2 || s.Busy != 2 || s.Running != 2 || s.Queued != 3 || s.Submitted != 6 || s.Cancelled != 1 || s.Settled() != 1 {
			t.Errorf("at work: %+v", s)
		}
		g.open()
		awaitSettled(t, fail.Submit(t.Context(), p, "boom"))
		failure[*pool.TimeoutError](t, holdOn.Submit(t.Context(), p, newGate(t).address(), pool.WithTimeout(time.Millisecond)))
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		awaitSettled(t, echo.Submit(t.Context(), p, "x"))
		s := p.Stats()
		if s.Submitted != 8 || s.Succeeded != 5 || s.Failed != 2 || s.TimedOut != 1 || s.Cancelled != 1 || s.Refused != 1 || s.Settled() != s.Submitted {
			t.Errorf("closed: %+v", s)
		}
		if s.Ready != 0 || s.Busy != 0 || s.Running != 0 || s.Queued != 0 {
			t.Errorf("closed: %+v", s)
		}
	})
}

// nosyContext is a context of the caller's own making, which calls the pool
// whenever it is asked something. So it shows that no lock of the pool is held
// then.
type nosyContext struct {
	context.Context
	pool pool.Pool
}

func (c nosyContext) Done() <-chan struct{} { c.pool.Stats(); return c.Context.Done() }
func (c nosyContext) Err() error            { c.pool.Stats(); return c.Context.Err() }
func (c nosyContext) Value(key any) any     { c.pool.Stats(); return c.Context.Value(key) }

func TestContextOfOwnMaking(t *testing.T) {
	overKinds(t, "is asked without a lock", func(t *testing.T, open opener) {
		p, g, held := saturate(t, open, pool.Config{Workers: 2})
		inner, cancel := context.WithCancel(t.Context())
		ctx := nosyContext{inner, p}
		first, second := double.Submit(ctx, p, 1), double.Submit(ctx, p, 2)
		if !first.Cancel() {
			t.Error("it is not cancelled")
		}
		g.open()
		value(t, second)
		for _, f := range held {
			value(t, f)
		}
		barrier := newGate(t)
		runs := holdOn.Submit(ctx, p, barrier.address())
		other := holdOn.Submit(t.Context(), p, barrier.address())
		barrier.holds(t, 2)
		waits := double.Submit(ctx, p, 3)
		cancel()
		matches(t, runs, pool.ErrKilled, context.Canceled)
		awaitSettled(t, waits)
		barrier.open()
		value(t, other)
		matches(t, double.Submit(ctx, p, 4), futures.ErrCancelled)
	})

	overKinds(t, "is let go by a shutdown", func(t *testing.T, open opener) {
		p, _, _ := saturate(t, open, pool.Config{Workers: 1})
		waits := double.Submit(nosyContext{t.Context(), p}, p, 1)
		if err := p.Shutdown(t.Context(), pool.Kill); err != nil {
			t.Error(err)
		}
		matches(t, waits, futures.ErrCancelled, pool.ErrShutdown)
	})
}
