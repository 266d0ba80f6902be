package main

import (
	"context"
	"errors"
	"log"
	"os"
	"os/exec"
	"strconv"
)

// bare starts this program twice more, with half of the work each. The halves
// are those that take equally long.
func bare(ctx context.Context, tell func(answer)) error {
	halves := [][]int64{{numbers[0], numbers[3]}, {numbers[1], numbers[2]}}
	var processes []*exec.Cmd
	var err error
	for _, half := range halves {
		p := exec.CommandContext(ctx, os.Args[0], strconv.FormatInt(half[0], 10), strconv.FormatInt(half[1], 10))
		p.Stderr = os.Stderr
		if e := p.Start(); e != nil {
			err = errors.Join(err, e)
			continue
		}
		processes = append(processes, p)
	}
	for i, p := range processes {
		if e := p.Wait(); e != nil {
			err = errors.Join(err, e)
			continue
		}
		for _, n := range halves[i] {
			tell(answer{n, true})
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// bareMain is such a process: it fails unless all of its numbers are prime.
func bareMain(numbers []string) {
	for _, number := range numbers {
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			log.Fatal(err)
		}
		if !isPrime(n) {
			log.Fatalf("%d is not prime", n)
		}
	}
}
