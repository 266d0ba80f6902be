package pool_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor/leaktest"
)

func TestShutdown(t *testing.T) {
	overKinds(t, "PY-S-1 submit after shutdown errors", func(t *testing.T, open opener) {
		for _, mode := range []pool.ShutdownMode{pool.Drain, pool.CancelPending, pool.Kill} {
			p := open(t, pool.Config{Workers: 1})
			if err := p.Shutdown(t.Context(), mode); err != nil {
				t.Fatal(err)
			}
			f := echo.Submit(t.Context(), p, "x")
			matches(t, f, pool.ErrClosed)
			if s := p.Stats(); f.State() != futures.Failed || s.Refused != 1 || s.Submitted != 0 {
				t.Errorf("%v: the future is %v, %+v", mode, f.State(), s)
			}
		}
	})

	overKinds(t, "PY-S-2 Close waits for queued work", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1})
		queued := submit(t, p, 3)
		returned := shutDown(t, t.Context(), p, pool.Drain)
		if s := p.Stats(); s.Queued+s.Running != 4 {
			t.Errorf("%+v", s)
		}
		g.open()
		if err := returned(); err != nil {
			t.Error(err)
		}
		if _, pending, _ := futures.Wait(expired(t), queued, futures.AllCompleted); len(pending) > 0 {
			t.Errorf("%d tasks had not finished when it returned", len(pending))
		}
		doubled(t, queued)
	})

	overKinds(t, "PY-S-3 50 pending tasks finish", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 2})
		queued := submit(t, p, 50)
		returned := shutDown(t, t.Context(), p, pool.Drain)
		g.open()
		doubled(t, queued)
		if err := returned(); err != nil {
			t.Error(err)
		}
	})

	overKinds(t, "PY-S-4 PY-S-13 CancelPending: the pending are cancelled, the running finish", func(t *testing.T, open opener) {
		p, g, held := saturate(t, open, pool.Config{Workers: 2})
		queued := submit(t, p, 10)
		returned := shutDown(t, t.Context(), p, pool.CancelPending)
		for _, f := range queued {
			matches(t, f, futures.ErrCancelled, pool.ErrShutdown)
		}
		for _, f := range held {
			if f.State() != futures.Running {
				t.Errorf("a task that runs is %v", f.State())
			}
		}
		g.open()
		for _, f := range held {
			value(t, f)
		}
		if err := returned(); err != nil {
			t.Error(err)
		}
		if s := p.Stats(); s.Succeeded != 2 || s.Cancelled < 10 || s.Failed != 0 {
			t.Errorf("%+v", s)
		}
	})

	overKinds(t, "PY-S-5 without waiting, with a running task, does not hang", func(t *testing.T, open opener) {
		p, g, held := saturate(t, open, pool.Config{Workers: 1})
		returned := background(t, p.Close)
		g.open()
		value(t, held[0])
		if err := returned(); err != nil {
			t.Error(err)
		}
	})

	overKinds(t, "PY-S-6 submit, cancel, shutdown in quick succession", func(t *testing.T, open opener) {
		for range 20 {
			p := open(t, pool.Config{Workers: 1})
			f := double.Submit(t.Context(), p, 1)
			cancelled := f.Cancel()
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			if got := f.State(); cancelled && got != futures.Cancelled || !cancelled && got != futures.Succeeded {
				t.Errorf("Cancel returned %v, and the future is %v", cancelled, got)
			}
		}
	})

	overKinds(t, "PY-S-10 a task each, one fails, nobody waits", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 4})
		bad := fail.Submit(t.Context(), p, "boom")
		good := submit(t, p, 3)
		returned := background(t, p.Close)
		failure[*pool.TaskError](t, bad)
		doubled(t, good)
		if err := returned(); err != nil {
			t.Error(err)
		}
	})

	overKinds(t, "PY-S-11 workers+1 tasks and a queue of one: no block", func(t *testing.T, open opener) {
		p, g, held := saturate(t, open, pool.Config{Workers: 2, Queue: 1})
		one := double.Submit(t.Context(), p, 1)
		returned := background(t, p.Close)
		g.open()
		for _, f := range held {
			value(t, f)
		}
		value(t, one)
		if err := returned(); err != nil {
			t.Error(err)
		}
	})
}

func TestShutdownLeavesNothing(t *testing.T) {
	overKinds(t, "PY-S-7 PY-S-8 Close joins all workers", func(t *testing.T, open opener) {
		before := leaktest.Take()
		p := open(t, pool.Config{Workers: 3})
		doubled(t, submit(t, p, 30))
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if leaks := before.Leaks(); len(leaks) > 0 { // now, not after a while
			t.Error(leaks)
		}
		if s := p.Stats(); s.Ready != 0 {
			t.Errorf("%+v", s)
		}
	})

	overKinds(t, "PY-S-9 nobody waits: results come, and everything is freed", func(t *testing.T, open opener) {
		leaktest.Check(t)
		p := open(t, pool.Config{Workers: 2})
		queued := submit(t, p, 20)
		returned := background(t, p.Close)
		doubled(t, queued)
		if err := returned(); err != nil {
			t.Error(err)
		}
	})
}

func TestShutdownDeadline(t *testing.T) {
	overKinds(t, "PY-S-12 PB-10 what is left is killed", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 2}), newGate(t)
		var held []*future
		for range 2 {
			held = append(held, holdOn.Submit(t.Context(), p, g.address()))
		}
		g.holds(t, 2)
		queued := submit(t, p, 5)

		err := p.Shutdown(expired(t), pool.Drain)
		shutdown, ok := errors.AsType[*pool.ShutdownError](err)
		if !ok || shutdown.Killed != 2 || shutdown.Cancelled != 5 || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %#v", err)
		}
		for _, f := range held {
			matches(t, f, pool.ErrKilled, pool.ErrShutdown)
			failure[*pool.KilledError](t, f)
		}
		for _, f := range queued {
			matches(t, f, futures.ErrCancelled, pool.ErrShutdown)
		}
		matches(t, echo.Submit(t.Context(), p, "x"), pool.ErrClosed)
		if s := p.Stats(); s.Killed != 2 || s.Cancelled != 5 || s.Settled() != 7 {
			t.Errorf("%+v", s)
		}
	})

	overKinds(t, "a pool with nothing to do closes in an expired context", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if err := p.Shutdown(expired(t), pool.Drain); err != nil {
			t.Error(err)
		}
	})
}

func TestShutdownModes(t *testing.T) {
	overKinds(t, "a later call is harsher", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		held := holdOn.Submit(t.Context(), p, g.address())
		g.holds(t, 1)
		queued := double.Submit(t.Context(), p, 1)

		draining := shutDown(t, t.Context(), p, pool.Drain)
		if s := queued.State(); s != futures.Pending {
			t.Errorf("Drain: a waiting task is %v", s)
		}
		cancelling := background(t, func() error { return p.Shutdown(t.Context(), pool.CancelPending) })
		matches(t, queued, futures.ErrCancelled, pool.ErrShutdown)
		if s := held.State(); s != futures.Running {
			t.Errorf("CancelPending: the running task is %v", s)
		}
		if err := p.Shutdown(t.Context(), pool.Kill); err != nil {
			t.Error(err)
		}
		matches(t, held, pool.ErrKilled, pool.ErrShutdown)
		if err := errors.Join(draining(), cancelling()); err != nil {
			t.Error(err)
		}
	})

	overKinds(t, "an unknown one is refused", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		if _, ok := errors.AsType[*pool.ConfigError](p.Shutdown(t.Context(), pool.Kill+1)); !ok {
			t.Error("it is not")
		}
		if got := value(t, echo.Submit(t.Context(), p, "x")); got != "x" {
			t.Errorf("afterwards the pool answers %q", got)
		}
	})
}

func TestClose(t *testing.T) {
	overKinds(t, "is idempotent and concurrent", func(t *testing.T, open opener) {
		p, g, held := saturate(t, open, pool.Config{Workers: 2})
		queued := submit(t, p, 10)
		var closers sync.WaitGroup
		for range 10 {
			closers.Go(func() {
				if err := p.Close(); err != nil {
					t.Error(err)
				}
				if s := p.Stats(); s.Settled() != s.Submitted {
					t.Errorf("Close returned too early: %+v", s)
				}
			})
		}
		g.open()
		closers.Wait()
		doubled(t, queued)
		for _, f := range held {
			value(t, f)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})

	overKinds(t, "races with Submit: every future settles", func(t *testing.T, open opener) {
		for i := range 4 {
			raceCloseWithSubmit(t, open(t, pool.Config{Workers: 2, Queue: i % 2 * 64}))
		}
	})
}

// raceCloseWithSubmit closes a pool while several submit to it. What was
// accepted has run when Close returns, and all else was refused.
func raceCloseWithSubmit(t *testing.T, p pool.Pool) {
	const submitters = 4
	var submitted sync.WaitGroup
	fs := make([][]*futures.Future[int], submitters)
	for i := range submitters {
		submitted.Go(func() {
			for n := 0; ; n++ {
				f := double.Submit(context.Background(), p, n)
				fs[i] = append(fs[i], f)
				if f.State() == futures.Failed {
					return
				}
			}
		})
	}
	eventually(t, "some have run", func() bool { return p.Stats().Succeeded > 100 })
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	accepted := p.Stats().Submitted
	submitted.Wait()
	var succeeded uint64
	for _, mine := range fs {
		for n, f := range mine {
			switch got, err := f.Result(expired(t)); {
			case err == nil && got == 2*n:
				succeeded++
			case !errors.Is(err, pool.ErrClosed) || n < len(mine)-1:
				t.Errorf("task %d of %d: %d, %v", n, len(mine), got, err)
			}
		}
	}
	if s := p.Stats(); succeeded != accepted || s.Submitted != accepted || s.Succeeded != accepted || s.Refused != submitters {
		t.Errorf("%d succeeded, %d were accepted: %+v", succeeded, accepted, s)
	}
}
