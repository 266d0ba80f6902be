// Watch shows what it costs to wait for many processes: a thousand sleeping
// children are watched by a reactor, and then a thousand by os/exec, in one run.
//
//	go run ./examples/watch
//
// Both are asked the same. How many threads and how much memory do they take
// while all children sleep? How often do the threads wake up in that time? How
// long does it take from a kill until the exit is noticed, and how long until all
// are reaped when they end at once? A reactor needs no thread for a child, os/exec
// needs one for each; at 10,000 threads Go ends the program.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	n := flag.Int("n", 1000, "how many children")
	idle := flag.Duration("idle", 2*time.Second, "how long to count context switches while all sleep")
	flag.Parse()
	if *n < 1 || *idle <= 0 {
		log.Fatal("-n and -idle must be greater than 0")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *n, *idle); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, n int, idle time.Duration) error {
	fmt.Printf("%d children, %v idle\n\n%-9s %8s %8s %13s %10s %10s %9s\n", n, idle,
		"", "threads", "RSS MB", "idle switches", "kill p50", "kill p99", "drain")
	ours, err := try(ctx, "reactor", n, idle, withReactor)
	if err != nil {
		return err
	}
	theirs, err := try(ctx, "os/exec", n, idle, withExec)
	if err != nil {
		return err
	}
	fmt.Printf("\nresult: n=%d left=%d %s %s\n", n, ours.left+theirs.left, ours.pairs(""), theirs.pairs("exec_"))
	return nil
}

// try runs one trial and prints its line of the table.
func try(ctx context.Context, name string, n int, idle time.Duration, with watching) (outcome, error) {
	o, err := trial(ctx, n, idle, with)
	if err != nil {
		return o, fmt.Errorf("%s: %w", name, err)
	}
	fmt.Printf("%-9s %8d %8.1f %13d %7.0f µs %7.0f µs %6.1f ms\n", name,
		o.threads, o.rss, o.switches, micros(o.quantile(0.5)), micros(o.quantile(0.99)), millis(o.drain))
	return o, nil
}
