// Nested shows tasks that submit tasks to the pool that they run in, and wait.
//
// It is the program of which Python's manual says that it deadlocks: each task
// waits for one that is submitted by itself, and the pool has fewer workers than
// there are tasks that wait. Here a task that waits for its own lends its place,
// and further workers start as they are needed:
//
//	go run ./examples/nested
//
// At the bottom a task may hang. At its limit it is killed, with its own worker and
// no other, and the task that waits for it sees why and goes on:
//
//	go run ./examples/nested -hang
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/stint-go/stint/pool"
)

// descent says how far a task is to go down, and what happens at the bottom.
type descent struct {
	Levels int
	Hang   bool
}

// answer is what comes up again: the levels below, and the workers' pids.
type answer struct {
	Levels int
	PIDs   []int
	Why    string // why the last level has no answer
}

var descend *pool.Task[descent, answer]

// hang never ends and never yields.
var hang = pool.NewTask("hang", func(context.Context, struct{}) (struct{}, error) {
	for n := 0; ; n++ {
	}
})

func init() {
	descend = pool.NewTask("descend", func(ctx context.Context, d descent) (answer, error) {
		p, err := pool.From(ctx) // the pool that runs this task
		if err != nil {
			return answer{}, err
		}
		if d.Levels == 0 {
			return bottom(ctx, p, d.Hang)
		}
		d.Levels--
		below, err := descend.Submit(ctx, p, d).Result(ctx)
		below.Levels++
		below.PIDs = append(below.PIDs, os.Getpid())
		return below, err
	})
}

// bottom is the last level.
func bottom(ctx context.Context, p pool.Pool, hangs bool) (answer, error) {
	a := answer{PIDs: []int{os.Getpid()}}
	if hangs {
		err := hang.Submit(ctx, p, struct{}{}, pool.WithTimeout(time.Second)).Err(ctx)
		var late *pool.TimeoutError
		if !errors.As(err, &late) {
			return a, fmt.Errorf("the hung task has ended in another way: %w", err)
		}
		a.Why = late.Error()
	}
	return a, nil
}

func main() {
	pool.Main() // a worker process serves tasks here and never returns

	levels := flag.Int("depth", 20, "how deep to go: at most 63 more than there are workers, as Config.NestedWorkers is 64")
	workers := flag.Int("workers", 2, "how many workers the pool has")
	hangs := flag.Bool("hang", false, "have a task hang at the bottom")
	flag.Parse()
	if err := run(*levels, *workers, *hangs); err != nil {
		log.Fatal(err)
	}
}

func run(levels, workers int, hangs bool) error {
	p, err := pool.NewProcessPool(pool.Config{Workers: workers})
	if err != nil {
		return err
	}
	defer p.Close()

	begin, ctx := time.Now(), context.Background()
	a, err := descend.Submit(ctx, p, descent{Levels: levels, Hang: hangs}).Result(ctx)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	if a.Why != "" {
		fmt.Println("at the bottom:", a.Why)
	}
	processes := make(map[int]bool)
	for _, pid := range a.PIDs {
		processes[pid] = true
	}
	fmt.Printf("result: depth=%d workers=%d processes=%d took=%v\n", a.Levels, workers, len(processes), took.Round(time.Millisecond))
	return nil
}
