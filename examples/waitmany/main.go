// The waitmany example starts processes in the way of the standard library and
// waits for all of them at once: for whom it is told, by one goroutine and
// without polling. What is left after the time is up is ended, with all that it
// has started.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"time"

	"github.com/stint-go/stint/runtime/process"
)

func main() {
	log.SetFlags(0)
	count := flag.Int("n", 20, "how many processes to start")
	limit := flag.Duration("t", time.Second, "how long to wait for them")
	flag.Parse()
	if err := run(*count, *limit); err != nil {
		log.Fatal(err)
	}
}

func run(count int, limit time.Duration) error {
	ps, reap, err := start(count)
	defer reap()
	if err != nil {
		return err
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	gone, alive, err := process.WaitMany(ctx, ps, func(g process.Gone) {
		fmt.Printf("%v %v after %v\n", g.Process, g.Exit, time.Since(begun).Round(time.Millisecond))
	})
	if err != nil {
		return err
	}
	for _, p := range alive {
		tree, err := p.KillTree(context.Background())
		if err != nil {
			return err
		}
		fmt.Printf("%v was still alive; %d processes killed\n", p, len(tree))
	}
	fmt.Printf("result: %d of %d ended by themselves within %v\n", len(gone), count, limit)
	return nil
}

// start starts shells that sleep ever longer, the last one for good, and returns
// a function that reaps them.
func start(count int) (ps []process.Process, reap func(), err error) {
	var all []*exec.Cmd
	reap = func() {
		for _, cmd := range all {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	for i := range count {
		seconds := fmt.Sprint(float64(i) / float64(2*count))
		if i == count-1 {
			seconds = "1000"
		}
		cmd := exec.Command("sh", "-c", "sleep "+seconds+"; exit 0")
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			return nil, reap, err
		}
		all = append(all, cmd)
		p, err := process.Find(cmd.Process.Pid)
		if errors.Is(err, errors.ErrUnsupported) {
			return nil, reap, fmt.Errorf("this system cannot tell processes apart yet: %w", err)
		}
		if err != nil {
			return nil, reap, err
		}
		ps = append(ps, p)
	}
	return ps, reap, nil
}
