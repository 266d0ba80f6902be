// Map shows a map over an input without end.
//
// It follows the numbers 1, 2, 3 … down to 1 by Collatz's rule, in worker
// processes, until one takes more steps than asked for. The results come in the
// order of the numbers; breaking out of the loop ends the map. Of the endless
// input it has read no more than a window beyond what it has yielded.
//
//	go run ./examples/map
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/stint-go/stint/pool"
)

// collatz counts the steps from n to 1.
var collatz = pool.NewTask("collatz", func(_ context.Context, n uint64) (steps int, err error) {
	for ; n != 1; steps++ {
		if n%2 == 0 {
			n /= 2
		} else {
			n = 3*n + 1
		}
	}
	return steps, nil
})

func main() {
	pool.Main() // a worker process serves tasks here and never returns

	steps := flag.Int("steps", 400, "look for the first number that takes more steps")
	window := flag.Int("window", 10_000, "how many numbers may be under way")
	flag.Parse()
	if err := run(context.Background(), *steps, *window); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, steps, window int) error {
	p, err := pool.NewProcessPool(pool.Config{TaskTimeout: time.Second})
	if err != nil {
		return err
	}
	defer p.Close()

	read := uint64(0)
	numbers := func(yield func(uint64) bool) { // never ends by itself
		for {
			read++
			if !yield(read) {
				return
			}
		}
	}
	from, n := time.Now(), uint64(0)
	for got, err := range collatz.Map(ctx, p, numbers, pool.WithWindow(window)) {
		if n++; err != nil {
			return err
		}
		if got > steps {
			fmt.Printf("%d takes %d steps, found after %v\n", n, got, time.Since(from).Round(time.Millisecond))
			fmt.Printf("result: number=%d steps=%d read=%d ahead=%d window=%d\n", n, got, read, read-n, window)
			return nil
		}
	}
	return errors.New("the endless input has ended")
}
