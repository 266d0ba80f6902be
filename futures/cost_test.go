package futures_test

import (
	"runtime"
	"testing"

	"github.com/stint-go/stint/futures"
)

// bytesEach is what n calls of f allocate, each, garbage included.
func bytesEach(n int, f func(i int)) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range n {
		f(i)
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / float64(n)
}

// The figures that doc.go states, on 64-bit systems; on others they are less.
func TestBytesPerFuture(t *testing.T) {
	const n, slack = 100_000, 1.0
	fs := make([]*futures.Future[int], n)
	if b := bytesEach(n, func(i int) { _, fs[i] = futures.New[int](nil) }); b > 80+slack {
		t.Errorf("%.1f bytes a future", b)
	}
	if b := bytesEach(n, func(i int) { fs[i].Done() }); b > 112+slack {
		t.Errorf("%.1f bytes a done channel", b)
	}
	past := expired(t)
	look := func(int) {
		for range futures.AsCompleted(past, fs) {
			t.Fatal("a pending future was yielded")
		}
	}
	if b := bytesEach(1, look) / n; b > 64+slack {
		t.Errorf("%.1f bytes a future that is looked at", b)
	}
}

func TestAllocationsPerFuture(t *testing.T) {
	ctx, past := t.Context(), expired(t)
	control := new(job)
	for name, row := range map[string]struct {
		f    func()
		most float64
	}{
		"a whole life": {func() {
			p, f := futures.New[int](control)
			p.Start()
			p.Succeed(42)
			_, _ = f.Result(ctx)
			f.State()
			f.Done()
		}, 1},
		"a poll": {func() {
			_, f := futures.New[int](nil)
			_ = f.Err(past)
		}, 2}, // the future and the error
	} {
		if n := testing.AllocsPerRun(1000, row.f); n > row.most {
			t.Errorf("%s: %v allocations, want at most %v", name, n, row.most)
		}
	}
}
