package pool_test

import (
	"testing"

	"github.com/stint-go/stint/pool"
)

// TestRecycleByMemory: LK-10, a worker that leaks is replaced.
func TestRecycleByMemory(t *testing.T) {
	const limit = 200 << 20
	t.Run("LK-10 between tasks", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1, Recycle: pool.Recycle{Memory: limit}})
		ran := make(map[int]int)
		for range 20 {
			ran[value(t, leak.Submit(t.Context(), p, leakage{Bytes: limit / 4}))]++
		}
		if len(ran) < 3 {
			t.Errorf("20 tasks, each of which left a quarter of the limit, ran in %d processes", len(ran))
		}
		if s := p.Stats(); s.Failed != 0 || s.Recycled == 0 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("LK-10 during a task", func(t *testing.T) {
		p, g := newProcessPool(t, pool.Config{Workers: 1, Recycle: pool.Recycle{Memory: limit}}), newGate(t)
		f := leak.Submit(t.Context(), p, leakage{Bytes: 2 * limit, Gate: g.address()})
		g.holds(t, 1)
		other := workerPID(t, p) // waits for the worker that takes its place
		g.open()
		if leaker := value(t, f); leaker == other {
			t.Error("both tasks ran in one process")
		}
		eventually(t, "it was recycled", func() bool { return p.Stats().Recycled == 1 })
	})
	t.Run("by little", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1, Recycle: pool.Recycle{Memory: 1 << 40}})
		before := workerPID(t, p)
		for range 5 {
			value(t, leak.Submit(t.Context(), p, leakage{Bytes: 1 << 20}))
		}
		if after := workerPID(t, p); after != before {
			t.Error("it was replaced")
		}
	})
}
