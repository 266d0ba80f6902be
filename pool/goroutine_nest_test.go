package pool_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stint-go/stint/pool"
)

// TestNestThroughAnotherPool: a task waits for one of another pool, which waits
// for one of the first.
func TestNestThroughAnotherPool(t *testing.T) {
	one, other := newGoroutinePool(t, pool.Config{Workers: 1}), newGoroutinePool(t, pool.Config{Workers: 1})
	f := pool.Go(t.Context(), one, func(ctx context.Context) (int, error) {
		return pool.Go(ctx, other, func(ctx context.Context) (int, error) {
			if p, err := pool.From(ctx); err != nil || p != pool.Pool(other) {
				return 0, errors.New("the pool is not the innermost")
			}
			return double.Submit(ctx, one, 4).Result(ctx)
		}).Result(ctx)
	})
	if got := value(t, f); got != 8 {
		t.Errorf("got %d", got)
	}
}

// TestNestWithoutCancel: what is submitted without the end of its parent's
// context outlives it.
func TestNestWithoutCancel(t *testing.T) {
	p, g := newGoroutinePool(t, pool.Config{Workers: 1}), newGate(t)
	inner := make(chan *future, 2)
	var late context.Context
	value(t, pool.Go(t.Context(), p, func(ctx context.Context) (none, error) {
		late = context.WithoutCancel(ctx)
		inner <- hold.Submit(late, p, g.address())
		return none{}, nil
	}))
	inner <- hold.Submit(late, p, g.address()) // nested in what is over
	g.holds(t, 1)
	if s := p.Stats(); s.Lent != 0 || s.Queued != 1 {
		t.Errorf("%+v", s)
	}
	g.open()
	value(t, <-inner)
	value(t, <-inner)
}

// TestDeepGoroutines: a goroutine pool nests deep without being told to.
func TestDeepGoroutines(t *testing.T) {
	p := newGoroutinePool(t, pool.Config{Workers: 1})
	if got := value(t, deepen.Submit(t.Context(), p, 5000)); got != 5000 {
		t.Errorf("%d calls", got)
	}
	eventually(t, "those that were lent a place are gone", func() bool { return p.Stats().Ready <= 1 })
}
