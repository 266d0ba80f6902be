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
	var halves [2][]int64
	for i, n := range numbers {
		half := []int{0, 1, 1, 0}[i%4]
		halves[half] = append(halves[half], n)
	}
	var processes []*exec.Cmd
	var err error
	for _, half := range halves {
		p := exec.CommandContext(ctx, os.Args[0])
		for _, n := range half {
			p.Args = append(p.Args, strconv.FormatInt(n, 10))
		}
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
