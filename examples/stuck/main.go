// Stuck shows how to get out of a pool whose workers hang.
//
// It is the program that is known for how it sticks in Python's
// ProcessPoolExecutor: two workers, five tasks that sleep for 100 seconds, and
// as-completed with a timeout. There the timeout is told after 5 seconds, and
// the program ends 295 seconds later, since leaving the pool waits for all five.
// Here what has not begun is cancelled, what runs is killed, and the program is
// over:
//
//	go run ./examples/stuck
//
// The other way is a limit for each task. A task that is over it is killed, its
// future fails, the worker is replaced, and there is nothing to clean up:
//
//	go run ./examples/stuck -task-timeout 1s
package main

import (
	"context"
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

// sleep hangs as code does that hangs: it does not heed its context.
var sleep = pool.NewTask("sleep", func(_ context.Context, d time.Duration) (time.Duration, error) {
	time.Sleep(d)
	return d, nil
})

func main() {
	pool.Main() // a worker process serves tasks here and never returns

	timeout := flag.Duration("timeout", 5*time.Second, "how long to wait for all tasks together")
	taskTimeout := flag.Duration("task-timeout", 0, "how long each task may run; 0 is for ever")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *timeout, *taskTimeout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, timeout, taskTimeout time.Duration) error {
	begin := time.Now()
	p, err := pool.NewProcessPool(pool.Config{Workers: 2, TaskTimeout: taskTimeout})
	if err != nil {
		return err
	}
	defer p.Close()

	fs := make([]*futures.Future[time.Duration], 5)
	for i := range fs {
		fs[i] = sleep.Submit(ctx, p, 100*time.Second)
	}
	wait(ctx, fs, timeout)
	for i, f := range fs {
		fmt.Printf("task %d: %v: %v\n", i+1, f.State(), f.Err(ctx))
	}

	if err := p.Close(); err != nil {
		return err
	}
	left, err := children()
	if err != nil {
		return err
	}
	s := p.Stats()
	fmt.Printf("result: succeeded=%d killed=%d cancelled=%d left=%d wall=%.2fs timed_out=%d\n",
		s.Succeeded, s.Killed, s.Cancelled, left, time.Since(begin).Seconds(), s.TimedOut)
	return nil
}

// wait reads the futures as they complete. What is unfinished after the timeout,
// or at Ctrl-C, it ends.
func wait(ctx context.Context, fs []*futures.Future[time.Duration], timeout time.Duration) {
	waiting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	completion := futures.NewCompletion(waiting, slices.Values(fs))
	for f := range completion.All() {
		fmt.Printf("task %d: completed: %v\n", slices.Index(fs, f)+1, f.Err(ctx))
	}
	if completion.Err() == nil {
		return
	}
	fmt.Println(completion.Err())
	for i, f := range fs {
		fmt.Printf("task %d: %v\n", i+1, f.State())
	}
	for _, f := range fs {
		f.Cancel() // what has not begun; first, so that none begins when a worker is replaced
	}
	for _, f := range fs {
		f.Kill() // what runs
	}
	_, _, _ = futures.Wait(context.WithoutCancel(ctx), fs, futures.AllCompleted) // for the proof
}
