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

var (
	// nestedFailure runs a task that fails in the way that it is told, and tells
	// what it sees of that.
	nestedFailure = pool.NewTask("nestedFailure", func(ctx context.Context, way string) (string, error) {
		p, err := pool.From(ctx)
		if err != nil {
			return "", err
		}
		return seen(ctx, p, way), nil
	})
	// leaveBehind submits a task that passes a gate, and returns when it has begun.
	leaveBehind = pool.NewTask("leaveBehind", func(ctx context.Context, address string) (none, error) {
		p, err := pool.From(ctx)
		if err != nil {
			return none{}, err
		}
		f := hold.Submit(ctx, p, address)
		for f.State() == futures.Pending {
			time.Sleep(time.Millisecond)
		}
		return none{}, nil
	})
	// waitBelow waits for a task that passes a gate.
	waitBelow = pool.NewTask("waitBelow", func(ctx context.Context, address string) (none, error) {
		p, err := pool.From(ctx)
		if err != nil {
			return none{}, err
		}
		return hold.Submit(ctx, p, address).Result(ctx)
	})
	// withdrawBelow submits a task behind one that holds the only other worker, and
	// tells whether it can be cancelled; then it kills the one that runs.
	withdrawBelow = pool.NewTask("withdrawBelow", func(ctx context.Context, address string) (string, error) {
		p, err := pool.From(ctx)
		if err != nil {
			return "", err
		}
		first := holdOn.Submit(ctx, p, address)
		for first.State() == futures.Pending {
			time.Sleep(time.Millisecond)
		}
		var said []string
		tell := func(what string, holds bool) {
			if !holds {
				what = "not " + what
			}
			said = append(said, what)
		}
		second := echo.Submit(ctx, p, "never")
		tell("cancelled", second.Cancel())
		tell("cancelled error", errors.Is(second.Err(ctx), futures.ErrCancelled))
		tell("cancelled running", first.Cancel())
		tell("killed", first.Kill())
		killed, _ := errors.AsType[*pool.KilledError](first.Err(ctx))
		tell("killed error", killed != nil && killed.Task == "holdOn")
		return strings.Join(said, ", "), nil
	})
)

// seen runs a task that fails in the way that it is told, and says what can be
// known from its error.
func seen(ctx context.Context, p pool.Pool, way string) string {
	var err error
	switch way {
	case "an error":
		err = failKnown.Submit(ctx, p, none{}).Err(ctx)
		var failed *pool.TaskError
		if errors.As(err, &failed) && errors.Is(err, errTest) && failed.Task == "failKnown" && failed.Worker > 0 {
			return "as it was"
		}
	case "a panic":
		err = panics.Submit(ctx, p, "shaken").Err(ctx)
		var panicked *pool.PanicError
		if errors.As(err, &panicked) && panicked.Value == "shaken" && panicked.Type == "string" && strings.Contains(panicked.Stack, "harness_test.go") {
			return "as it was"
		}
	case "a timeout":
		err = sleep.Submit(ctx, p, time.Hour, pool.WithTimeout(time.Millisecond)).Err(ctx)
		var late *pool.TimeoutError
		if errors.As(err, &late) && errors.Is(err, context.DeadlineExceeded) && late.Limit == time.Millisecond && late.Task == "sleep" {
			return "as it was"
		}
	case "its context":
		ctx, cancel := context.WithCancel(ctx)
		f := sleep.Submit(ctx, p, time.Hour)
		for f.State() == futures.Pending {
			time.Sleep(time.Millisecond)
		}
		cancel()
		err = f.Err(context.WithoutCancel(ctx))
		var killed *pool.KilledError
		if errors.As(err, &killed) && errors.Is(err, context.Canceled) && errors.Is(err, pool.ErrKilled) {
			return "as it was"
		}
	case "its context, before":
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		err = echo.Submit(ctx, p, "").Err(context.WithoutCancel(ctx))
		if errors.Is(err, futures.ErrCancelled) {
			return "as it was"
		}
	case "a bad limit":
		err = echo.Submit(ctx, p, "", pool.WithTimeout(-1)).Err(ctx)
		var bad *pool.ConfigError
		if errors.As(err, &bad) && bad.Field == "WithTimeout" {
			return "as it was"
		}
	}
	return err.Error()
}

// TestNestedErrors: a task sees its nested tasks fail as anybody would.
func TestNestedErrors(t *testing.T) {
	for _, way := range []string{"an error", "a panic", "a timeout", "its context", "its context, before", "a bad limit"} {
		overKinds(t, way, func(t *testing.T, open opener) {
			p := open(t, pool.Config{Workers: 1})
			if got := value(t, nestedFailure.Submit(t.Context(), p, way)); got != "as it was" {
				t.Error(got)
			}
		})
	}
}

// TestNestedEnd: nested tasks end with the one that has submitted them, and when
// it ends them.
func TestNestedEnd(t *testing.T) {
	overKinds(t, "it returns", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		value(t, leaveBehind.Submit(t.Context(), p, g.address()))
		g.holds(t, 0)
		eventually(t, "the nested task is done", func() bool { return p.Stats().Failed == 1 })
		if s := p.Stats(); s.Killed != 1 || s.Lent != 0 {
			t.Errorf("%+v", s)
		}
	})

	overKinds(t, "it is over its limit", func(t *testing.T, open opener) {
		for limit := 100 * time.Millisecond; ; limit *= 2 {
			p, g := open(t, pool.Config{Workers: 1}), newGate(t)
			f := waitBelow.Submit(t.Context(), p, g.address(), pool.WithTimeout(limit))
			failure[*pool.TimeoutError](t, f)
			if p.Stats().Submitted < 2 && limit < patience {
				t.Logf("no nested task within %v", limit)
				continue
			}
			g.holds(t, 0)
			eventually(t, "the nested task is done", func() bool { return p.Stats().Settled() == 2 })
			return
		}
	})

	overKinds(t, "its context ends", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		ctx, cancel := context.WithCancel(t.Context())
		f := waitBelow.Submit(ctx, p, g.address())
		g.holds(t, 1)
		cancel()
		failure[*pool.KilledError](t, f)
		g.holds(t, 0)
		eventually(t, "the nested task is done", func() bool { return p.Stats().Settled() == 2 })
	})

	overKinds(t, "it is killed", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		f := waitBelow.Submit(t.Context(), p, g.address())
		g.holds(t, 1)
		f.Kill()
		failure[*pool.KilledError](t, f)
		g.holds(t, 0)
		eventually(t, "the nested task is done", func() bool { return p.Stats().Settled() == 2 })
		if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 {
			t.Errorf("afterwards: %d", got)
		}
	})

	overKinds(t, "it withdraws and kills them", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		const want = "cancelled, cancelled error, not cancelled running, killed, killed error"
		if got := value(t, withdrawBelow.Submit(t.Context(), p, g.address())); got != want {
			t.Errorf("got %s", got)
		}
	})

	overKinds(t, "the pool drains", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		f := running(t, holdThenSpread.Submit(t.Context(), p, g.address()))
		returned := shutDown(t, t.Context(), p, pool.Drain)
		g.open()
		if got := value(t, f); got != 90 || returned() != nil {
			t.Errorf("got %d", got)
		}
	})

	overKinds(t, "the pool cancels what has not begun", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		f := running(t, holdThenSpread.Submit(t.Context(), p, g.address()))
		returned := shutDown(t, t.Context(), p, pool.CancelPending)
		g.open()
		matches(t, f, pool.ErrClosed)
		if err := returned(); err != nil {
			t.Error(err)
		}
	})

	overKinds(t, "the pool is killed", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 2}), newGate(t)
		fs := []*future{waitBelow.Submit(t.Context(), p, g.address()), waitBelow.Submit(t.Context(), p, g.address())}
		g.holds(t, 2)
		if err := p.Shutdown(t.Context(), pool.Kill); err != nil {
			t.Error(err)
		}
		for _, f := range fs {
			matches(t, f, pool.ErrShutdown)
		}
	})
}

// TestFrom: outside of tasks there is no pool.
func TestFrom(t *testing.T) {
	if p, err := pool.From(t.Context()); p != nil || !errors.Is(err, pool.ErrNoTask) {
		t.Errorf("got %v, %v", p, err)
	}
}
