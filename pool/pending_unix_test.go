//go:build unix

package pool_test

import (
	"context"
	"runtime"
	"slices"
	"testing"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// BenchmarkPending is what tasks cost that wait: the memory of a million of them,
// with their futures and encoded arguments, under a context without an end and
// under one that can be cancelled.
func BenchmarkPending(b *testing.B) {
	const n = 1_000_000
	for name, ctx := range map[string]context.Context{"background": context.Background(), "cancellable": b.Context()} {
		b.Run(name, func(b *testing.B) {
			var used []float64
			for b.Loop() {
				used = append(used, memoryOfPending(b, ctx, n))
			}
			slices.Sort(used)
			b.ReportMetric(used[len(used)/2]/n, "B/task")
			b.ReportMetric(used[len(used)/2]/(1<<20), "MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// A million tasks may wait in 400 MiB, futures and arguments included.
func TestPendingMemory(t *testing.T) {
	const n, most = 100_000, 400 << 20 / 1_000_000
	if perTask := memoryOfPending(t, t.Context(), n) / n; perTask > most {
		t.Errorf("a task that waits costs %.0f bytes, more than %d", perTask, most)
	}
}

// memoryOfPending is how many bytes n tasks hold that wait for a worker.
func memoryOfPending(b testing.TB, ctx context.Context, n int) float64 {
	p := newProcessPool(b, pool.Config{Workers: 1})
	stuck := spin.Submit(ctx, p, none{})
	eventually(b, "the worker is busy", func() bool { return stuck.State() == futures.Running })
	before := heapInUse()
	fs := make([]*futures.Future[int], n)
	for i := range fs {
		fs[i] = noOp.Submit(ctx, p, i)
	}
	used := heapInUse() - before
	if s := p.Stats(); s.Queued < n-1 {
		b.Fatalf("they do not wait: %+v", s)
	}
	_ = p.Shutdown(b.Context(), pool.Kill)
	runtime.KeepAlive(fs)
	return float64(used)
}

// heapInUse is how many bytes are reachable.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
