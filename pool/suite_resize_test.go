package pool_test

import (
	"errors"
	"testing"

	"github.com/stint-go/stint/pool"
)

// resizable is a pool whose number of workers can be changed.
type resizable interface {
	pool.Pool
	Resize(workers int) error
}

func resize(t testing.TB, p pool.Pool, workers int) {
	t.Helper()
	if err := p.(resizable).Resize(workers); err != nil {
		t.Fatal(err)
	}
}

// TestResize: a pool becomes as large as it is told, while it works, and loses
// nothing by it.
func TestResize(t *testing.T) {
	overKinds(t, "LK-8 12, 2, 1, 12 under load", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 12})
		for range 3 {
			for _, workers := range []int{12, 2, 1, 12} {
				fs := submit(t, p, 300)
				resize(t, p, workers)
				fs = append(fs, submit(t, p, 300)...)
				g := newGate(t)
				var held []*future
				for range workers + 3 {
					held = append(held, hold.Submit(t.Context(), p, g.address()))
				}
				g.holds(t, workers)
				g.open()
				for _, f := range held {
					value(t, f)
				}
				for i, f := range fs {
					if got := value(t, f); got != 2*(i%300) {
						t.Fatalf("task %d returned %d", i, got)
					}
				}
				if s := p.Stats(); s.Workers != workers || s.Failed != 0 {
					t.Errorf("%+v", s)
				}
			}
		}
		resize(t, p, 2)
		eventually(t, "two are left", func() bool { return p.Stats().Ready == 2 })
	})
	overKinds(t, "running tasks go on", func(t *testing.T, open opener) {
		p, g, held := saturate(t, open, pool.Config{Workers: 3})
		resize(t, p, 1)
		f := double.Submit(t.Context(), p, 1)
		g.holds(t, 3)
		g.open()
		for _, f := range held {
			value(t, f)
		}
		value(t, f)
	})
	overKinds(t, "what cannot be", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		for _, workers := range []int{0, -1} {
			var bad *pool.ConfigError
			if err := p.(resizable).Resize(workers); !errors.As(err, &bad) || bad.Field != "Resize" {
				t.Errorf("got %v", err)
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := p.(resizable).Resize(1); !errors.Is(err, pool.ErrClosed) {
			t.Errorf("got %v", err)
		}
	})
}
