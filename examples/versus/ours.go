//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// This file is Stint's own part.

const workers = 2

var (
	noOp   = pool.NewTask("noOp", func(_ context.Context, n int) (int, error) { return n, nil })
	length = pool.NewTask("length", func(_ context.Context, b []byte) (int, error) { return len(b), nil })
	echo   = pool.NewTask("echo", func(_ context.Context, b []byte) ([]byte, error) { return b, nil })

	lengthInPlace = pool.NewTask("lengthInPlace", func(_ context.Context, b *pool.Buffer) (int, error) { return b.Len(), nil })
	echoInPlace   = pool.NewTask("echoInPlace", func(_ context.Context, b *pool.Buffer) (*pool.Buffer, error) { return b, nil })
	// spin is a task that hangs and heeds nothing.
	spin = pool.NewTask("spin", func(_ context.Context, n int) (int, error) {
		for n >= 0 {
			n ^= 1
		}
		return n, nil
	})
)

// onProcesses gives a contest a pool that is ready and warm.
func onProcesses(config pool.Config, measure func(context.Context, *pool.ProcessPool) (figures, error)) func(context.Context) (figures, error) {
	return func(ctx context.Context) (got figures, err error) {
		p, err := pool.NewProcessPool(config)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, p.Shutdown(ctx, pool.Kill)) }()
		for s := p.Stats(); s.Ready < s.Workers || s.Spare < config.Spares; s = p.Stats() {
			time.Sleep(time.Millisecond)
		}
		if err := throughput(ctx, p, 1000); err != nil {
			return nil, err
		}
		return measure(ctx, p)
	}
}

// throughput does n tasks, read as they complete.
func throughput(ctx context.Context, p pool.Pool, n int) error {
	fs := make([]*futures.Future[int], n)
	for i := range fs {
		fs[i] = noOp.Submit(ctx, p, i)
	}
	for f := range futures.AsCompleted(ctx, fs) {
		if err := f.Err(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func manyTasks(n int) func(context.Context) (figures, error) {
	return onProcesses(pool.Config{Workers: workers}, func(ctx context.Context, p *pool.ProcessPool) (figures, error) {
		begin := time.Now()
		err := throughput(ctx, p, n)
		return figures{"tasks/s": rate(n, begin)}, err
	})
}

// oneByOne has each worker do one task at a time, and wait for the next.
func oneByOne(n int) func(context.Context) (figures, error) {
	return onProcesses(pool.Config{Workers: workers}, func(ctx context.Context, p *pool.ProcessPool) (figures, error) {
		begin := time.Now()
		var callers sync.WaitGroup
		failed := make([]error, workers)
		for c := range failed {
			callers.Go(func() {
				for range n / workers {
					if failed[c] = noOp.Submit(ctx, p, 1).Err(ctx); failed[c] != nil {
						return
					}
				}
			})
		}
		callers.Wait()
		return figures{"tasks/s": rate(n, begin)}, errors.Join(failed...)
	})
}

func goroutines(n int) func(context.Context) (figures, error) {
	return func(ctx context.Context) (figures, error) {
		p, err := pool.NewGoroutinePool(pool.Config{Workers: workers})
		if err != nil {
			return nil, err
		}
		defer p.Close()
		run := func(n int) error {
			fs := make([]*futures.Future[int], n)
			for i := range fs {
				fs[i] = pool.Go(ctx, p, func(context.Context) (int, error) { return i, nil })
			}
			for _, f := range fs {
				if err := f.Err(ctx); err != nil {
					return err
				}
			}
			return nil
		}
		if err := run(n / 10); err != nil { // warm
			return nil, err
		}
		begin := time.Now()
		err = run(n)
		return figures{"tasks/s": rate(n, begin)}, err
	}
}

func mapped(n int) func(context.Context) (figures, error) {
	return onProcesses(pool.Config{Workers: workers}, func(ctx context.Context, p *pool.ProcessPool) (figures, error) {
		begin, next := time.Now(), 0
		for out, err := range noOp.Map(ctx, p, numbers(n)) {
			if err != nil {
				return nil, err
			}
			if out != next {
				return nil, fmt.Errorf("item %d came back as %d", next, out)
			}
			next++
		}
		return figures{"items/s": rate(next, begin)}, nil
	})
}

func numbers(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i++ {
		}
	}
}

func roundTrips(n int) func(context.Context) (figures, error) {
	return onProcesses(pool.Config{Workers: 1}, func(ctx context.Context, p *pool.ProcessPool) (figures, error) {
		return latencies(n, func() error { return noOp.Submit(ctx, p, 1).Err(ctx) })
	})
}

// saturated is a round trip while as many tasks spin as there are processors.
func saturated(n int) func(context.Context) (figures, error) {
	return onProcesses(pool.Config{Workers: 1 + workers}, func(ctx context.Context, p *pool.ProcessPool) (figures, error) {
		for range workers {
			spin.Submit(ctx, p, 0) // the pool's end ends it
		}
		for p.Stats().Busy < workers {
			time.Sleep(time.Millisecond)
		}
		return latencies(n, func() error { return noOp.Submit(ctx, p, 1).Err(ctx) })
	})
}

// payloads are Buffers, which are copied to the worker and read where they are.
func payloads(mib int) func(context.Context) (figures, error) {
	return sending(mib, lengthInPlace, echoInPlace, pool.BufferOf, func(result *pool.Buffer) int {
		defer result.Release()
		return result.Len()
	})
}

// copiedPayloads are slices of bytes, which each side has for its own.
func copiedPayloads(mib int) func(context.Context) (figures, error) {
	return sending(mib, length, echo, func(data []byte) []byte { return data }, func(result []byte) int { return len(result) })
}

func sending[T any](mib int, there *pool.Task[T, int], andBack *pool.Task[T, T], of func([]byte) T, size func(T) int) func(context.Context) (figures, error) {
	return onProcesses(pool.Config{Workers: 1, MaxPayload: mib<<20 + 1<<10}, func(ctx context.Context, p *pool.ProcessPool) (figures, error) {
		data := make([]byte, mib<<20)
		for i := range data {
			data[i] = byte(i)
		}
		arrived := func(n int, err error) error {
			if err == nil && n != len(data) {
				err = fmt.Errorf("%d of %d bytes arrived", n, len(data))
			}
			return err
		}
		one, err := best(3, func() error { return arrived(there.Submit(ctx, p, of(data)).Result(ctx)) })
		if err != nil {
			return nil, err
		}
		both, err := best(3, func() error {
			result, err := andBack.Submit(ctx, p, of(data)).Result(ctx)
			if err != nil {
				return err
			}
			return arrived(size(result), nil)
		})
		return figures{"length MiB/s": float64(mib) / one.Seconds(), "echo MiB/s": float64(mib) / both.Seconds()}, err
	})
}

// deadlines is how long after its deadline a hung task's future has failed, and
// how long after it another worker has answered in its place.
func deadlines(n int) func(context.Context) (figures, error) {
	const limit = 5 * time.Millisecond
	config := pool.Config{Workers: 1, Spares: 1, Grace: pool.NoGrace}
	return onProcesses(config, func(ctx context.Context, p *pool.ProcessPool) (figures, error) {
		var failed, replaced []time.Duration
		for range n {
			for p.Stats().Spare == 0 {
				time.Sleep(time.Millisecond)
			}
			due := time.Now().Add(limit)
			err := spin.Submit(ctx, p, 0, pool.WithTimeout(limit)).Err(ctx)
			failed = append(failed, time.Since(due))
			if !errors.Is(err, context.DeadlineExceeded) {
				return nil, fmt.Errorf("the hung task ended with %w", err)
			}
			if err := noOp.Submit(ctx, p, 1).Err(ctx); err != nil {
				return nil, err
			}
			replaced = append(replaced, time.Since(due))
		}
		return figures{"failed µs": microseconds(quantile(failed, 0.5)), "replaced µs": microseconds(quantile(replaced, 0.5))}, nil
	})
}

func rate(n int, since time.Time) float64 { return float64(n) / time.Since(since).Seconds() }

// latencies calls something n times, after a few to warm.
func latencies(n int, call func() error) (figures, error) {
	var all []time.Duration
	for i := range n + n/10 {
		begin := time.Now()
		if err := call(); err != nil {
			return nil, err
		}
		if i >= n/10 {
			all = append(all, time.Since(begin))
		}
	}
	return figures{"p50 µs": microseconds(quantile(all, 0.5)), "p99 µs": microseconds(quantile(all, 0.99))}, nil
}

func best(n int, call func() error) (least time.Duration, err error) {
	for i := range n {
		begin := time.Now()
		if err := call(); err != nil {
			return 0, err
		}
		if took := time.Since(begin); i == 0 || took < least {
			least = took
		}
	}
	return least, nil
}

func quantile(all []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(q*float64(len(sorted)-1))]
}

func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
