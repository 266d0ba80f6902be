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

var (
	// deepen calls itself as often as it is told, and counts the calls.
	deepen *pool.Task[int, int]
	// spread doubles the numbers below the one that it is told, each in a task of
	// its own, and adds them up.
	spread = pool.NewTask("spread", func(ctx context.Context, n int) (sum int, err error) {
		p, err := pool.From(ctx)
		if err != nil {
			return 0, err
		}
		fs := make([]*futures.Future[int], n)
		for i := range fs {
			fs[i] = double.Submit(ctx, p, i)
		}
		for f := range futures.AsCompleted(ctx, fs) {
			v, err := f.Result(ctx)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	})
	// branch calls itself twice, down to the depth that it is told.
	branch *pool.Task[int, int]
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

func init() {
	deepen = pool.NewTask("deepen", func(ctx context.Context, n int) (int, error) {
		if n == 0 {
			return 0, nil
		}
		p, err := pool.From(ctx)
		if err != nil {
			return 0, err
		}
		below, err := deepen.Submit(ctx, p, n-1).Result(ctx)
		return below + 1, err
	})
	branch = pool.NewTask("branch", func(ctx context.Context, n int) (int, error) {
		if n == 0 {
			return 1, nil
		}
		p, err := pool.From(ctx)
		if err != nil {
			return 0, err
		}
		left, right := branch.Submit(ctx, p, n-1), branch.Submit(ctx, p, n-1)
		a, err := left.Result(ctx)
		if err != nil {
			return 0, err
		}
		b, err := right.Result(ctx)
		return a + b, err
	})
}

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

// TestNest: a task submits to the pool that it runs in, and waits.
func TestNest(t *testing.T) {
	overKinds(t, "recursion", func(t *testing.T, open opener) {
		for _, workers := range []int{1, 2} {
			p := open(t, pool.Config{Workers: workers})
			if got := value(t, deepen.Submit(t.Context(), p, 20)); got != 20 {
				t.Errorf("%d calls", got)
			}
			if s := p.Stats(); s.Succeeded != 21 || s.Lent != 0 {
				t.Errorf("%+v", s)
			}
		}
	})

	overKinds(t, "fan-out", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		one, two := spread.Submit(t.Context(), p, 100), spread.Submit(t.Context(), p, 100)
		if a, b := value(t, one), value(t, two); a != 9900 || b != 9900 {
			t.Errorf("%d and %d", a, b)
		}
		if s := p.Stats(); s.Succeeded != 202 || s.Lent != 0 {
			t.Errorf("%+v", s)
		}
	})

	overKinds(t, "a tree", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		if got := value(t, branch.Submit(t.Context(), p, 6)); got != 64 {
			t.Errorf("%d leaves", got)
		}
	})

	overKinds(t, "maps", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		var got []int
		for v, err := range mapBelow.Map(t.Context(), p, slices.Values([]int{100, 200, 300})) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, v)
		}
		if !slices.Equal(got, []int{9900, 39800, 89700}) {
			t.Errorf("got %v", got)
		}
	})

	overKinds(t, "from callbacks and from several goroutines", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		if got := value(t, nestedChain.Submit(t.Context(), p, 5)); got != 32 {
			t.Errorf("got %d", got)
		}
	})

	overKinds(t, "refused when no worker would be left", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, NestedWorkers: 2})
		if got := value(t, deepen.Submit(t.Context(), p, 2)); got != 2 {
			t.Errorf("%d calls", got)
		}
		err := failure[*pool.TaskError](t, deepen.Submit(t.Context(), p, 3))
		if !strings.Contains(err.Error(), "refused at depth 3") || !strings.Contains(err.Error(), "Config.NestedWorkers") {
			t.Errorf("got %v", err)
		}
		if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 {
			t.Errorf("afterwards: %d", got)
		}
		if s := p.Stats(); s.Lent != 0 || s.Refused != 1 {
			t.Errorf("%+v", s)
		}
	})

	overKinds(t, "nested ones go first, without a place in the queue", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1, Queue: 1, WhenFull: pool.Refuse}), newGate(t)
		parent := running(t, holdThenSpread.Submit(t.Context(), p, g.address()))
		other := sleep.Submit(t.Context(), p, time.Hour) // fills the queue, and then the worker
		matches(t, echo.Submit(t.Context(), p, ""), pool.ErrQueueFull)
		g.open()
		if got := value(t, parent); got != 90 {
			t.Errorf("got %d", got)
		}
		other.Kill()
		awaitSettled(t, other)
	})
}

var (
	// nestedChain doubles 1 as often as it is told, each time from a callback.
	nestedChain = pool.NewTask("nestedChain", func(ctx context.Context, n int) (int, error) {
		p, err := pool.From(ctx)
		if err != nil {
			return 0, err
		}
		end := make(chan int, 1)
		var next func(*futures.Future[int])
		next = func(f *futures.Future[int]) {
			v, err := f.Result(ctx)
			if n--; n == 0 || err != nil {
				end <- v
				return
			}
			double.Submit(ctx, p, v).OnDone(next)
		}
		double.Submit(ctx, p, 1).OnDone(next)
		select {
		case v := <-end:
			return v, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
	// mapBelow is spread by a map.
	mapBelow = pool.NewTask("mapBelow", func(ctx context.Context, n int) (sum int, err error) {
		p, err := pool.From(ctx)
		if err != nil {
			return 0, err
		}
		numbers := func(yield func(int) bool) {
			for i := 0; i < n && yield(i); i++ {
			}
		}
		for v, err := range double.Map(ctx, p, numbers) {
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	})
	// holdThenSpread passes a gate, and then does what spread does with 10.
	holdThenSpread = pool.NewTask("holdThenSpread", func(ctx context.Context, address string) (int, error) {
		if err := pass(ctx, address); err != nil {
			return 0, err
		}
		p, err := pool.From(ctx)
		if err != nil {
			return 0, err
		}
		return spread.Submit(ctx, p, 10).Result(ctx)
	})
)

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
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		f := waitBelow.Submit(t.Context(), p, g.address(), pool.WithTimeout(100*time.Millisecond))
		failure[*pool.TimeoutError](t, f)
		g.holds(t, 0)
		eventually(t, "the nested task is done", func() bool { return p.Stats().Settled() == 2 })
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
