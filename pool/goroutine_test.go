package pool_test

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

func TestGo(t *testing.T) {
	t.Run("runs a closure", func(t *testing.T) {
		p := newGoroutinePool(t, pool.Config{Workers: 2})
		base := 40
		if got := value(t, pool.Go(t.Context(), p, func(context.Context) (int, error) { return base + 2, nil })); got != 42 {
			t.Error(got)
		}
	})

	t.Run("the error is the closure's own", func(t *testing.T) {
		p := newGoroutinePool(t, pool.Config{Workers: 1})
		own := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}
		_, err := result(t, pool.Go(t.Context(), p, func(context.Context) (none, error) { return none{}, own }))
		if e, ok := errors.AsType[*fs.PathError](err); !ok || e != own || !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	})

	t.Run("takes options", func(t *testing.T) {
		p := newGoroutinePool(t, pool.Config{Workers: 1})
		f := pool.Go(t.Context(), p, untilDone, pool.WithTimeout(time.Millisecond))
		failure[*pool.TimeoutError](t, f)
	})

	t.Run("of nothing is an error", func(t *testing.T) {
		p := newGoroutinePool(t, pool.Config{Workers: 1})
		failure[*pool.ConfigError](t, pool.Go[int](t.Context(), p, nil))
		failure[*pool.ConfigError](t, pool.Go(t.Context(), nil, untilDone))
		if s := p.Stats(); s.Started != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// untilDone returns when its context has ended, and why.
func untilDone(ctx context.Context) (none, error) {
	<-ctx.Done()
	return none{}, context.Cause(ctx)
}

// byReference takes an argument that has no encoding.
var byReference = pool.NewTask("byReference", func(_ context.Context, c chan int) (chan int, error) {
	c <- 1
	return c, nil
})

func TestGoroutinePoolEncodesNothing(t *testing.T) {
	p, c := newGoroutinePool(t, pool.Config{Workers: 1}), make(chan int, 1)
	if got := value(t, byReference.Submit(t.Context(), p, c)); got != c || len(c) != 1 {
		t.Error("the channel is another")
	}
}

func TestGoroutinesStartAsNeeded(t *testing.T) {
	p, g := newGoroutinePool(t, pool.Config{Workers: 3}), newGate(t)
	for i := range 5 {
		if s := p.Stats(); s.Started != uint64(min(i, 3)) || s.Ready != min(i, 3) {
			t.Errorf("after %d tasks: %+v", i, s)
		}
		hold.Submit(t.Context(), p, g.address())
	}
}

// stuck is a task that heeds nothing until it is let go.
type stuck struct {
	let     chan struct{}
	returns chan error // why its context had ended by then
}

func newStuck(t *testing.T) *stuck {
	s := &stuck{let: make(chan struct{}), returns: make(chan error, 1)}
	t.Cleanup(s.release)
	return s
}

func (s *stuck) run(ctx context.Context) (none, error) {
	<-s.let
	s.returns <- context.Cause(ctx)
	return none{}, nil
}

func (s *stuck) release() {
	select {
	case <-s.let:
	default:
		close(s.let)
	}
}

func TestAbandoned(t *testing.T) {
	t.Run("the pool goes on with all its workers", func(t *testing.T) {
		p := newGoroutinePool(t, pool.Config{Workers: 2})
		tasks := []*stuck{newStuck(t), newStuck(t), newStuck(t)}
		for _, s := range tasks {
			failure[*pool.TimeoutError](t, pool.Go(t.Context(), p, s.run, pool.WithTimeout(time.Millisecond)))
		}
		if s := p.Stats(); s.Abandoned != 3 || s.TimedOut != 3 || s.Busy != 0 || s.Running != 0 {
			t.Errorf("%+v", s)
		}
		g := newGate(t)
		for range 2 {
			hold.Submit(t.Context(), p, g.address())
		}
		g.holds(t, 2)
		if s := p.Stats(); s.Ready != 2 || s.Busy != 2 {
			t.Errorf("%+v", s)
		}
		for left := 2; left >= 0; left-- {
			tasks[left].release()
			eventually(t, "an abandoned one that returned is not counted", func() bool { return p.Stats().Abandoned == left })
		}
	})

	t.Run("what waits behind it runs at once", func(t *testing.T) {
		p := newGoroutinePool(t, pool.Config{Workers: 1})
		f := pool.Go(t.Context(), p, newStuck(t).run, pool.WithTimeout(20*time.Millisecond))
		doubled(t, submit(t, p, 10))
		failure[*pool.TimeoutError](t, f)
	})

	t.Run("what it returns later is dropped", func(t *testing.T) {
		p, s := newGoroutinePool(t, pool.Config{Workers: 1}), newStuck(t)
		f := pool.Go(t.Context(), p, s.run, pool.WithTimeout(time.Millisecond))
		failure[*pool.TimeoutError](t, f)
		s.release()
		<-s.returns
		eventually(t, "it has returned", func() bool { return p.Stats().Abandoned == 0 })
		failure[*pool.TimeoutError](t, f)
		if s := p.Stats(); s.Succeeded != 0 || s.Failed != 1 {
			t.Errorf("%+v", s)
		}
	})

	t.Run("it may panic and exit", func(t *testing.T) {
		p := newGoroutinePool(t, pool.Config{Workers: 1})
		for _, end := range []func(){func() { panic("late") }, runtime.Goexit} {
			let := make(chan struct{})
			f := pool.Go(t.Context(), p, func(context.Context) (none, error) {
				<-let
				end()
				return none{}, nil
			}, pool.WithTimeout(time.Millisecond))
			failure[*pool.TimeoutError](t, f)
			close(let)
			eventually(t, "it has ended", func() bool { return p.Stats().Abandoned == 0 })
		}
		if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 {
			t.Error(got)
		}
	})

	t.Run("Close does not wait for it", func(t *testing.T) {
		p, s := newGoroutinePool(t, pool.Config{Workers: 1}), newStuck(t)
		failure[*pool.TimeoutError](t, pool.Go(t.Context(), p, s.run, pool.WithTimeout(time.Millisecond)))
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if s := p.Stats(); s.Abandoned != 1 || s.Ready != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestContextOfGoroutineTask(t *testing.T) {
	why := errors.New("I have changed my mind")
	for name, end := range map[string]struct {
		options []pool.Option
		by      func(p pool.Pool, f *future, cancel context.CancelCauseFunc)
		err     error // that the future's matches
		cause   error // that the task sees
	}{
		"by its deadline":        {options: []pool.Option{pool.WithTimeout(time.Millisecond)}, err: context.DeadlineExceeded, cause: context.DeadlineExceeded},
		"by its caller":          {by: func(_ pool.Pool, _ *future, cancel context.CancelCauseFunc) { cancel(why) }, err: why, cause: why},
		"by Future.Kill":         {by: func(_ pool.Pool, f *future, _ context.CancelCauseFunc) { f.Kill() }, err: pool.ErrKilled, cause: context.Canceled},
		"by a shutdown by force": {by: func(p pool.Pool, _ *future, _ context.CancelCauseFunc) { p.Shutdown(t.Context(), pool.Kill) }, err: pool.ErrShutdown, cause: pool.ErrShutdown},
	} {
		t.Run(name, func(t *testing.T) {
			p, s := newGoroutinePool(t, pool.Config{Workers: 1}), newStuck(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			f := pool.Go(ctx, p, s.run, end.options...)
			if end.by != nil {
				end.by(p, running(t, f), cancel)
			}
			matches(t, f, end.err)
			s.release()
			if got := <-s.returns; got != end.cause {
				t.Errorf("the task's context ended because: %v, want %v", got, end.cause)
			}
		})
	}

	t.Run("and has ended when the task is over", func(t *testing.T) {
		p := newGoroutinePool(t, pool.Config{Workers: 1})
		ctx := value(t, pool.Go(t.Context(), p, func(ctx context.Context) (context.Context, error) { return ctx, nil }))
		select {
		case <-ctx.Done():
		case <-time.After(patience):
			t.Error("it has not")
		}
	})
}

func TestShutdownFromInside(t *testing.T) {
	t.Run("PY-TP-5 a task kills the pool that runs it", func(t *testing.T) {
		p := newGoroutinePool(t, pool.Config{Workers: 2})
		shutdown := make(chan error, 1)
		f := pool.Go(t.Context(), p, func(context.Context) (none, error) {
			shutdown <- p.Shutdown(context.Background(), pool.Kill)
			return none{}, nil
		})
		matches(t, f, pool.ErrKilled, pool.ErrShutdown)
		if err := <-shutdown; err != nil {
			t.Error(err)
		}
		matches(t, double.Submit(t.Context(), p, 1), pool.ErrClosed)
	})

	t.Run("PY-TP-5 a task drains the pool that runs it, until its deadline", func(t *testing.T) {
		p := newGoroutinePool(t, pool.Config{Workers: 1})
		shutdown := make(chan error, 1)
		f := pool.Go(t.Context(), p, func(ctx context.Context) (none, error) {
			shutdown <- p.Shutdown(ctx, pool.Drain)
			return none{}, nil
		}, pool.WithTimeout(20*time.Millisecond))
		// Its deadline ends the task and the shutdown's patience, either of them first.
		if _, err := result(t, f); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, pool.ErrShutdown) {
			t.Error(err)
		}
		if err := <-shutdown; err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})

	t.Run("PY-TP-5 a task closes the pool without waiting", func(t *testing.T) {
		p := newGoroutinePool(t, pool.Config{Workers: 1})
		closed := make(chan error, 1)
		f := pool.Go(t.Context(), p, func(context.Context) (none, error) {
			go func() { closed <- p.Close() }()
			return none{}, nil
		})
		value(t, f)
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})

	overKinds(t, "PY-TP-5 a callback closes the pool", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		closed := make(chan error, 1)
		double.Submit(t.Context(), p, 1).OnDone(func(*futures.Future[int]) { closed <- p.Close() })
		select {
		case err := <-closed:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Error("Close has not returned")
		}
		matches(t, double.Submit(t.Context(), p, 1), pool.ErrClosed)
	})
}
