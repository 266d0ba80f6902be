package pool_test

import (
	"testing"

	"github.com/stint-go/stint/pool"
)

// TestTerminate is PY-MPP-6, PY-PP-6, PY-PP-7 and PY-PP-8: a pool with many hung tasks
// ends at once, and for good.
func TestTerminate(t *testing.T) {
	overKinds(t, "PY-MPP-6 PY-PP-6 10,000 hung tasks", func(t *testing.T, open opener) {
		const n, workers = 10_000, 4
		p, g := open(t, pool.Config{Workers: workers}), newGate(t)
		fs := make([]*future, n)
		for i := range fs {
			fs[i] = holdOn.Submit(t.Context(), p, g.address())
		}
		g.holds(t, workers)
		if err := p.Shutdown(t.Context(), pool.Kill); err != nil {
			t.Errorf("PY-MPP-6: %v", err)
		}
		for _, f := range fs {
			matches(t, f, pool.ErrShutdown)
		}
		if err := p.Shutdown(t.Context(), pool.Kill); err != nil {
			t.Errorf("PY-PP-7: again: %v", err)
		}
		matches(t, double.Submit(t.Context(), p, 1), pool.ErrClosed) // PY-PP-8
		if s := p.Stats(); s.Settled() != n || s.Succeeded != 0 || s.Killed > workers {
			t.Errorf("PY-MPP-6: %+v", s)
		}
	})
}
