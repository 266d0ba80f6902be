package pool_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// countingContext counts who watches it.
type countingContext struct {
	context.Context
	mu             sync.Mutex
	most, watchers int
}

func newCountingContext(t *testing.T) *countingContext {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return &countingContext{Context: ctx}
}

// Value hides what is inside from package context.
func (c *countingContext) Value(any) any { return nil }

// AfterFunc is what context.AfterFunc looks for.
func (c *countingContext) AfterFunc(f func()) (stop func() bool) {
	c.count(+1)
	unwatch := context.AfterFunc(c.Context, func() {
		c.count(-1)
		f()
	})
	return func() bool {
		stopped := unwatch()
		if stopped {
			c.count(-1)
		}
		return stopped
	}
}

func (c *countingContext) count(by int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers += by
	c.most = max(c.most, c.watchers)
}

func (c *countingContext) figures() (most, now int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.most, c.watchers
}

// Jobs that share a context share its watch, and a pool that is closed has let go
// of all contexts.
func TestContextsAreWatchedOnce(t *testing.T) {
	overKinds(t, "many jobs", func(t *testing.T, open opener) {
		ctx, other := newCountingContext(t), newCountingContext(t)
		p, g, _ := saturate(t, open, pool.Config{Workers: 1})
		var fs []*futures.Future[int]
		for i := range 100 {
			fs = append(fs, double.Submit(ctx, p, i), double.Submit(other, p, i))
		}
		if most, _ := ctx.figures(); most != 1 {
			t.Errorf("100 waiting jobs watch their context %d times", most)
		}
		g.open()
		for _, f := range fs {
			value(t, f)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		for _, c := range []*countingContext{ctx, other} {
			if _, now := c.figures(); now != 0 {
				t.Errorf("after Close %d watch the context", now)
			}
		}
	})
	overKinds(t, "each its own", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		var all []*countingContext
		for i := range 50 {
			ctx := newCountingContext(t)
			value(t, double.Submit(ctx, p, i))
			all = append(all, ctx)
		}
		watched := 0
		for _, ctx := range all {
			_, now := ctx.figures()
			watched += now
		}
		if watched > 1 {
			t.Errorf("%d contexts of settled jobs are watched", watched)
		}
	})
}

// Contexts end while jobs under them come and go: each job has one outcome.
func TestContextsEndAtAnyTime(t *testing.T) {
	overKinds(t, "hammer", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2, Grace: patience})
		var callers sync.WaitGroup
		for range 4 {
			callers.Go(func() {
				for round := range 30 {
					ctx, cancel := context.WithCancel(t.Context())
					var fs []*futures.Future[int]
					for i := range 20 {
						if i == round%20 {
							go cancel()
						}
						fs = append(fs, double.Submit(ctx, p, i))
					}
					for i, f := range fs {
						if got, err := f.Result(t.Context()); err == nil && got != 2*i || err != nil && !errors.Is(err, context.Canceled) {
							t.Errorf("double %d: %d, %v", i, got, err)
						}
					}
					cancel()
				}
			})
		}
		callers.Wait()
		if s := p.Stats(); s.Settled() != s.Submitted || s.Submitted+s.Refused != 4*30*20 {
			t.Errorf("%+v", s)
		}
	})
}
