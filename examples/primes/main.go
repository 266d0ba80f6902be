// Primes shows what a pool gains on work that only computes: whether four large
// numbers are prime, found out naively, by one goroutine and by a pool of two
// worker processes.
//
//	go run ./examples/primes
//	go run ./examples/primes -repeat 8    # longer work, beside which the start of a pool counts less
//
// No pool gains more than the machine has to give, and two processors are often
// worth much less than twice one. So two bare processes, which know nothing of
// pools, get the same numbers, and what they gain is the ceiling. The times are
// from before the first process starts to after the last one's end, and the best
// of three rounds, in which the three ways take turns.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// numbers are all prime, which takes a naive test the longest. Large ones come
// first, so that none of them is left over when the others are done.
var numbers = []int64{40003027, 31518271, 20292113, 10897409}

// isPrime is as naive as can be.
func isPrime(n int64) bool {
	for d := int64(2); d < n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return n > 1
}

type answer struct {
	N     int64
	Prime bool
}

var test = pool.NewTask("test", func(_ context.Context, n int64) (answer, error) {
	return answer{n, isPrime(n)}, nil
})

func main() {
	pool.Main() // a worker process serves tasks here and never returns
	repeat := flag.Int("repeat", 1, "how often each number is tested")
	flag.Parse()
	if flag.NArg() > 0 {
		bareMain(flag.Args())
		return
	}
	numbers = slices.Repeat(numbers, *repeat)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	ways := []struct {
		name string
		test func(context.Context, func(answer)) error
	}{
		{"one goroutine", oneGoroutine},
		{"a pool of two worker processes", pooled},
		{"two bare processes", bare},
	}
	best := make([]float64, len(ways)) // seconds
	for round := range 3 {
		for i, way := range ways {
			fmt.Printf("round %d: %s\n", round+1, way.name)
			begin := time.Now()
			err := way.test(ctx, func(a answer) {
				fmt.Printf("%8.3fs  %d is prime: %v\n", time.Since(begin).Seconds(), a.N, a.Prime)
			})
			if err != nil {
				return err
			}
			seconds := time.Since(begin).Seconds()
			fmt.Printf("%8.3fs  in all\n", seconds)
			if round == 0 || seconds < best[i] {
				best[i] = seconds
			}
		}
	}
	fmt.Printf("result: single=%.3fs pool=%.3fs speedup=%.2f ceiling=%.2f\n", best[0], best[1], best[0]/best[1], best[0]/best[2])
	return nil
}

func oneGoroutine(ctx context.Context, tell func(answer)) error {
	for _, n := range numbers {
		tell(answer{n, isPrime(n)})
	}
	return context.Cause(ctx)
}

func pooled(ctx context.Context, tell func(answer)) error {
	p, err := pool.NewProcessPool(pool.Config{Workers: 2})
	if err != nil {
		return err
	}
	defer p.Close()

	var fs []*futures.Future[answer]
	for _, n := range numbers {
		fs = append(fs, test.Submit(ctx, p, n))
	}
	for f := range futures.AsCompleted(ctx, fs) {
		a, err := f.Result(ctx)
		if err != nil {
			return err
		}
		tell(a)
	}
	return errors.Join(context.Cause(ctx), p.Close())
}
