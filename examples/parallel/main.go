// The parallel example is a program of use: it runs a command for each line of
// its standard input, or for each value after ":::", on as many slots as are
// wanted, kills what hangs with all that it has started, and says what became of
// each. Try it:
//
//	go run ./examples/parallel -j 3 -timeout 1s sleep {} ::: 0.1 5 0.2
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/stint-go/stint/runtime"
)

func main() { os.Exit(parallel(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// The exit codes beyond the number of failed jobs.
const (
	exitMany  = 101 // more than a hundred jobs have failed
	exitUsage = 255 // it could not do its work
)

func parallel(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return o.refusal(err, stderr)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := run(ctx, o, o.inputs(stdin), stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "parallel:", err)
		return exitUsage
	}
	return code
}

// run runs all jobs and returns the program's exit code.
func run(ctx context.Context, o *options, in *inputs, stdout, stderr io.Writer) (code int, err error) {
	host, err := runtime.Start(runtime.Config{})
	if err != nil {
		return 0, err
	}
	defer host.Close()
	log, err := openJoblog(o)
	if err != nil {
		return 0, err
	}
	r := &report{options: o, stdout: stdout, stderr: stderr, log: log}
	c := newCrew(ctx, o, host, in, log.done)
	for done := range c.outcomes {
		r.take(done)
		switch o.halt.verdict(r.failed) {
		case haltSoon:
			c.finish()
		case haltNow:
			c.abort()
		}
	}
	c.abort() // frees the context
	if err := in.err(); err != nil {
		return 0, err
	}
	if err := log.close(); err != nil {
		return 0, err
	}
	code = r.end()
	if ctx.Err() != nil {
		return code, errors.New("interrupted: what ran was killed")
	}
	return code, nil
}
