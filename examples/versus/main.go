//go:build unix

// Versus measures Stint and what one would use otherwise, in interleaved rounds of
// one run: Python's ProcessPoolExecutor, multiprocessing.Pool and subprocess, where
// there is a python3; the goroutine pools pond and ants; os/exec; and the limits of
// the machine itself, as a bare socket, a bare channel and memcpy.
//
//	go run ./examples/versus          # a few minutes
//	go run ./examples/versus -quick   # smaller sizes, one round
//	go run ./examples/versus -json    # the figures, for programs
//
// It prints a table for each contest: the median of each entrant's rounds, the
// spread, and how Stint's figure stands to it; then the aims, and whether they
// were reached. How to read it is told in docs/benchmarks.md.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/stint-go/stint/pool"
)

func main() {
	pool.Main() // a worker process serves tasks here and never returns
	switch {
	case len(os.Args) > 1 && os.Args[1] == bareArgument:
		bareMain()
		return
	case len(os.Args) > 3 && os.Args[1] == watchArgument:
		watchMain(os.Args[2], os.Args[3])
		return
	}
	quick := flag.Bool("quick", false, "smaller sizes and one round, to see that it works")
	asJSON := flag.Bool("json", false, "print the figures as JSON instead of tables")
	rounds := flag.Int("rounds", 5, "how often each entrant is measured")
	only := flag.String("only", "", "run only the contests whose names contain this")
	flag.Parse()
	if *rounds < 1 {
		log.Fatal("-rounds must be 1 or more")
	}
	if *quick {
		*rounds = 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, sizesFor(*quick), *rounds, *only, *asJSON); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, s sizes, rounds int, only string, asJSON bool) error {
	peers, err := findPeers(ctx)
	if err != nil {
		return err
	}
	defer peers.close()
	var results []*standing
	for _, c := range contests(s, peers) {
		if !strings.Contains(c.name, only) {
			continue
		}
		st, err := c.run(ctx, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		results = append(results, st)
		if !asJSON {
			st.print(os.Stdout)
		}
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(results)
	}
	printAims(os.Stdout, results)
	return nil
}
