package pool_test

import (
	"context"
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

	overKinds(t, "progress", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		if got := value(t, progressBelow.Submit(t.Context(), p, 50)); got != (step{50, "counted"}) {
			t.Errorf("got %v", got)
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

	overKinds(t, "while the pool shrinks", func(t *testing.T, open opener) {
		const workers = 4
		p, g, below := open(t, pool.Config{Workers: workers, NestedWorkers: 1}), newGate(t), newGate(t)
		var fs []*future
		for range workers {
			fs = append(fs, holdsBelow.Submit(t.Context(), p, gates{g.address(), below.address()}))
		}
		g.holds(t, workers)
		g.open()
		eventually(t, "all wait, for all that they submit", func() bool {
			s := p.Stats()
			return s.Lent == workers && s.Submitted == workers*(1+heldBelow)
		})
		if err := p.(interface{ Resize(int) error }).Resize(1); err != nil {
			t.Fatal(err)
		}
		below.open()
		for _, f := range fs {
			value(t, f)
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

// gates is the argument of holdsBelow.
type gates struct{ Own, Below string }

// heldBelow is how many tasks it waits for.
const heldBelow = 20

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
	// progressBelow returns the last report of a task of its own, if it is told
	// everywhere.
	progressBelow = pool.NewTask("progressBelow", func(ctx context.Context, n int) (step, error) {
		p, err := pool.From(ctx)
		if err != nil {
			return step{}, err
		}
		told := make(chan step, n)
		f := count.Submit(ctx, p, counting{To: n}, pool.WithProgress(func(s step) { told <- s }))
		if _, err := f.Result(ctx); err != nil {
			return step{}, err
		}
		last, err := pool.Progress[step](f)
		for last != <-told { // it comes in any case
		}
		return last, err
	})
	// holdsBelow passes a gate, and then waits for many tasks that pass another.
	holdsBelow = pool.NewTask("holdsBelow", func(ctx context.Context, at gates) (none, error) {
		p, err := pool.From(ctx)
		if err == nil {
			err = pass(ctx, at.Own)
		}
		if err != nil {
			return none{}, err
		}
		fs := make([]*future, heldBelow)
		for i := range fs {
			fs[i] = hold.Submit(ctx, p, at.Below)
		}
		for _, f := range fs {
			if _, err := f.Result(ctx); err != nil {
				return none{}, err
			}
		}
		return none{}, nil
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
