//go:build unix

package pool_test

import (
	"bytes"
	"context"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// increment is a trivial task.
var increment = pool.NewTask("increment", func(_ context.Context, n int64) (int64, error) { return n + 1, nil })

// peerMap is the same map by multiprocessing.Pool, with its automatic chunk size.
// It prints the seconds.
const peerMap = `
import multiprocessing, time
def increment(n): return n + 1
if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        pool.map(increment, range(1000))
        start = time.perf_counter()
        results = pool.map(increment, range(10_000_000))
        print(time.perf_counter() - start)
        assert len(results) == 10_000_000 and results[-1] == 10_000_000
`

// BenchmarkMap maps 10 million integers by a trivial task through two workers, in
// chunks of automatic size. The peer, if there is a python3, does the same.
func BenchmarkMap(b *testing.B) {
	const n = 10_000_000
	p := newProcessPool(b, pool.Config{Workers: 2})
	eventually(b, "the workers are ready", func() bool { return p.Stats().Ready == 2 })
	mapIntegers(b, p, n/10) // warm
	var ours []time.Duration
	for b.Loop() {
		ours = append(ours, timed(func() { mapIntegers(b, p, n) }))
	}
	b.ReportMetric(n/median(ours).Seconds(), "items/s")
	b.ReportMetric(0, "ns/op") // of all items: it says nothing
	python, err := exec.LookPath("python3")
	if err != nil {
		b.Log("no python3: no peer's figure")
		return
	}
	out, err := exec.Command(python, "-c", peerMap).Output()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	seconds, err := strconv.ParseFloat(string(bytes.TrimSpace(out)), 64)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(n/seconds, "peer/s")
	b.ReportMetric(seconds/median(ours).Seconds(), "×peer")
}

func mapIntegers(b *testing.B, p pool.Pool, n int64) {
	in := func(yield func(int64) bool) {
		for i := int64(0); i < n && yield(i); i++ {
		}
	}
	want := int64(1)
	for got, err := range increment.Map(b.Context(), p, in) {
		if err != nil || got != want {
			b.Fatalf("result %d, %v; want %d", got, err, want)
		}
		want++
	}
	if want != n+1 {
		b.Fatalf("%d results", want-1)
	}
}
