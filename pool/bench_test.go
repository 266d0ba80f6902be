//go:build unix

package pool_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// noOp is the smallest task.
var noOp = pool.NewTask("noOp", func(_ context.Context, n int) (int, error) { return n, nil })

// BenchmarkNoOp is as many small tasks as two workers can do, read as they
// complete. The limits are what two bare processes send back of messages that
// come 64 in a write, and two goroutines that are fed by a bare channel.
func BenchmarkNoOp(b *testing.B) {
	b.Run("processes", func(b *testing.B) {
		const n = 20_000
		mirrors := []*mirror{newMirror(b), newMirror(b)}
		benchmarkNoOp(b, newProcessPool(b, pool.Config{Workers: 2}), n, func() {
			var both sync.WaitGroup
			for _, m := range mirrors {
				both.Go(func() {
					if err := m.roundTrips(n / 2); err != nil {
						b.Error(err)
					}
				})
			}
			both.Wait()
		})
	})
	b.Run("goroutines", func(b *testing.B) {
		const n = 50_000
		benchmarkNoOp(b, newGoroutinePool(b, pool.Config{Workers: 2}), n, func() { throughChannel(n) })
	})
}

// benchmarkNoOp does n tasks an iteration, and then what the limit does with as
// many.
func benchmarkNoOp(b *testing.B, p pool.Pool, n int, limit func()) {
	eventually(b, "the workers are ready", func() bool { s := p.Stats(); return s.Ready == int(s.Started) })
	throughPool(b, p, n/10) // warm
	var before, after runtime.MemStats
	var ours, bare []time.Duration
	var allocations, bytes uint64
	for b.Loop() {
		runtime.ReadMemStats(&before)
		ours = append(ours, timed(func() { throughPool(b, p, n) }))
		runtime.ReadMemStats(&after)
		allocations, bytes = allocations+after.Mallocs-before.Mallocs, bytes+after.TotalAlloc-before.TotalAlloc
		bare = append(bare, timed(limit))
	}
	perTask := float64(n) * float64(len(ours))
	b.ReportMetric(float64(n)/median(ours).Seconds(), "tasks/s")
	b.ReportMetric(float64(n)/median(bare).Seconds(), "bare/s")
	b.ReportMetric(median(ours).Seconds()/median(bare).Seconds(), "×bare")
	b.ReportMetric(float64(allocations)/perTask, "allocs/task")
	b.ReportMetric(float64(bytes)/perTask, "B/task")
	b.ReportMetric(0, "ns/op") // of all tasks and their limit together: it says nothing
}

func throughPool(b *testing.B, p pool.Pool, n int) {
	fs := make([]*futures.Future[int], n)
	for i := range fs {
		fs[i] = noOp.Submit(b.Context(), p, i)
	}
	for f := range futures.AsCompleted(b.Context(), fs) {
		if _, err := f.Result(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// throughChannel does n closures by two goroutines.
func throughChannel(n int) {
	tasks, results := make(chan func() int, 256), make(chan int, 256)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for task := range tasks {
				results <- task()
			}
		})
	}
	workers.Go(func() {
		for i := range n {
			tasks <- func() int { return i }
		}
		close(tasks)
	})
	for range n {
		<-results
	}
	workers.Wait()
}

// BenchmarkRoundTrip is one small task at a time. The limit is a message to a
// bare process and back.
func BenchmarkRoundTrip(b *testing.B) {
	p, m := newProcessPool(b, pool.Config{Workers: 1}), newMirror(b)
	var ours, bare []time.Duration
	for b.Loop() {
		for range 1000 { // in turns, so that both meet the same noise
			ours = append(ours, timed(func() { value(b, noOp.Submit(b.Context(), p, 1)) }))
			bare = append(bare, timed(func() { m.roundTrip(b) }))
		}
	}
	b.ReportMetric(microseconds(median(ours)), "p50-µs")
	b.ReportMetric(microseconds(quantile(ours, 0.99)), "p99-µs")
	b.ReportMetric(microseconds(median(bare)), "bare-p50-µs")
	b.ReportMetric(median(ours).Seconds()/median(bare).Seconds(), "×bare")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkDeadline is how long after its deadline a hung task's future has
// failed, and how long after it the replacement of its worker has answered. The
// limits are a bare process that is killed and waited for, and another that is
// started and answers.
func BenchmarkDeadline(b *testing.B) {
	for name, spares := range map[string]int{"without a spare": pool.NoSpares, "with a spare": 1} {
		b.Run(name, func(b *testing.B) { benchmarkDeadline(b, spares) })
	}
}

func benchmarkDeadline(b *testing.B, spares int) {
	const limit = 5 * time.Millisecond
	p := newProcessPool(b, pool.Config{Workers: 1, Spares: spares, Grace: pool.NoGrace})
	var failed, answered, killed, started []time.Duration
	for b.Loop() {
		for range 10 {
			eventually(b, "the spare", func() bool { return p.Stats().Spare == max(spares, 0) })
			value(b, noOp.Submit(b.Context(), p, 1))
			deadline := time.Now().Add(limit) // a little early: the task has not begun
			failure[*pool.TimeoutError](b, spin.Submit(b.Context(), p, none{}, pool.WithTimeout(limit)))
			failed = append(failed, time.Since(deadline))
			value(b, noOp.Submit(b.Context(), p, 1))
			answered = append(answered, time.Since(deadline))

			began := time.Now()
			m := startMirror(b)
			m.roundTrip(b)
			started = append(started, time.Since(began))
			killed = append(killed, timed(func() {
				_ = m.process.Process.Kill()
				_ = m.process.Wait()
			}))
			m.channel.Close()
		}
	}
	b.ReportMetric(microseconds(median(failed)), "failed-p50-µs")
	b.ReportMetric(microseconds(median(answered)), "answered-p50-µs")
	b.ReportMetric(microseconds(median(killed)), "bare-kill-p50-µs")
	b.ReportMetric(microseconds(median(started)), "bare-start-p50-µs")
	b.ReportMetric(median(failed).Seconds()/median(killed).Seconds(), "failed-×bare")
	b.ReportMetric(median(answered).Seconds()/(median(killed)+median(started)).Seconds(), "answered-×bare")
	b.ReportMetric(0, "ns/op")
}

func timed(call func()) time.Duration {
	from := time.Now()
	call()
	return time.Since(from)
}

func median(all []time.Duration) time.Duration { return quantile(all, 0.5) }

func quantile(all []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(q*float64(len(sorted)-1))]
}

func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
