//go:build unix

package pool_test

import (
	"math"
	"runtime"
	"testing"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// A task whose argument and result are numbers costs its host two allocations: the
// job and the future. Reading the futures as they complete adds a few for all. One
// that asks its context nothing costs a goroutine pool three: its context, too.
func TestAllocationsPerTask(t *testing.T) {
	t.Run("processes", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 2})
		eventually(t, "both are ready", func() bool { return p.Stats().Ready == 2 })
		checkAllocations(t, p, 2.5)
	})
	t.Run("goroutines", func(t *testing.T) {
		checkAllocations(t, newGoroutinePool(t, pool.Config{Workers: 2}), 3.5)
	})
}

func checkAllocations(t *testing.T, p pool.Pool, most float64) {
	const n = 5000
	fs := make([]*futures.Future[int], n)
	least := math.Inf(1)
	for range 20 { // what else allocates meanwhile is none of the tasks' doing
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range fs {
			fs[i] = noOp.Submit(t.Context(), p, i)
		}
		for f := range futures.AsCompleted(t.Context(), fs) {
			if err := f.Err(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		runtime.ReadMemStats(&after)
		if least = min(least, float64(after.Mallocs-before.Mallocs)/n); least <= most {
			return
		}
	}
	t.Errorf("a task costs %.2f allocations, more than %v", least, most)
}

// The memory of an argument of bytes is used again when its task is over: a task with one
// of 16, 64 or 256 KiB has its host allocate less than a quarter of that.
func TestAllocationsPerArgument(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	for _, size := range []int{16 << 10, 64 << 10, 256 << 10} {
		argument := make([]byte, size)
		least := uint64(math.MaxUint64)
		const n = 50
		for range 20 { // what else allocates meanwhile is none of the tasks' doing, and a collection empties the pools
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range n {
				value(t, length.Submit(t.Context(), p, argument))
			}
			runtime.ReadMemStats(&after)
			if least = min(least, (after.TotalAlloc-before.TotalAlloc)/n); least < uint64(size/4) {
				break
			}
		}
		t.Logf("%d bytes: %d a task", size, least)
		if least >= uint64(size/4) && !raceEnabled {
			t.Errorf("a task with an argument of %d bytes has its host allocate %d", size, least)
		}
	}
}
