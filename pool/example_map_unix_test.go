//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"time"

	"github.com/stint-go/stint/pool"
)

var (
	root = pool.NewTask("root", func(ctx context.Context, n float64) (float64, error) {
		if n < 0 {
			<-ctx.Done() // as a task that hangs, but for heeding its context
			return 0, ctx.Err()
		}
		r := n
		for range 50 {
			r = (r + n/r) / 2
		}
		return r, nil
	})
	power = pool.NewTask("power", func(_ context.Context, p pool.Pair[int, int]) (int, error) {
		result := 1
		for range p.Second {
			result *= p.First
		}
		return result, nil
	})
)

func ExampleTask_Map() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	numbers := []float64{1, 4, -1, 9}
	for r, err := range root.Map(context.Background(), p, slices.Values(numbers), pool.WithTimeout(time.Second/2)) {
		if timeout, ok := errors.AsType[*pool.TimeoutError](err); ok {
			fmt.Println("item", timeout.Item, "took too long")
			continue
		}
		fmt.Println(r, err)
	}
	// Output:
	// 1 <nil>
	// 2 <nil>
	// item 3 took too long
	// 3 <nil>
}

func ExampleTask_MapUnordered() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	sum := 0
	for square, err := range square.MapUnordered(context.Background(), p, slices.Values([]int{1, 2, 3, 4}), pool.WithChunkSize(2)) {
		if err != nil {
			log.Fatal(err)
		}
		sum += square // in whatever order they come
	}
	fmt.Println(sum)
	// Output: 30
}

// A task with two arguments takes pairs of them.
func ExampleZip() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	bases, exponents := slices.Values([]int{2, 3, 10}), slices.Values([]int{5, 2, 3})
	for result, err := range power.Map(context.Background(), p, pool.Zip(bases, exponents)) {
		fmt.Println(result, err)
	}
	// Output:
	// 32 <nil>
	// 9 <nil>
	// 1000 <nil>
}

// An input may come from a channel, and have no end: a map reads no more than its
// window ahead.
func ExampleReceived() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	naturals := make(chan int)
	go func() {
		for n := 0; ; n++ {
			select {
			case naturals <- n:
			case <-ctx.Done():
				return
			}
		}
	}()
	for square, err := range square.Map(ctx, p, pool.Received(ctx, naturals), pool.WithWindow(10)) {
		if err != nil || square > 1000 {
			fmt.Println(square, err)
			break
		}
	}
	// Output: 1024 <nil>
}

// Whoever wants a map's results later reads it in a goroutine.
func ExampleTask_Map_later() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	done := make(chan []int)
	go func() {
		var squares []int
		for square, err := range square.Map(context.Background(), p, slices.Values([]int{1, 2, 3})) {
			if err == nil {
				squares = append(squares, square)
			}
		}
		done <- squares
	}()
	// … something else meanwhile …
	fmt.Println(<-done)
	// Output: [1 4 9]
}

func ExampleWithWeights() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	// 10 to the 9th begins first, and is yielded last.
	bases, exponents := []int{2, 3, 10}, []int{1, 2, 9}
	in := pool.Zip(slices.Values(bases), slices.Values(exponents))
	for result, err := range power.Map(context.Background(), p, in, pool.WithWeights([]float64{1, 2, 9})) {
		fmt.Println(result, err)
	}
	// Output:
	// 2 <nil>
	// 9 <nil>
	// 1000000000 <nil>
}
