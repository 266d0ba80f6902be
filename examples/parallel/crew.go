package main

import (
	"context"
	"errors"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime"
	"github.com/stint-go/stint/runtime/subprocess"
)

// crew runs jobs, one on each slot. It waits for no thread: a command that runs
// costs a goroutine for each of its outputs.
type crew struct {
	options  *options
	host     *runtime.Host
	in       *inputs
	skip     map[int]bool // these were done before
	outcomes chan outcome // closed when no job runs and none is to come

	ctx    context.Context
	abort  context.CancelFunc // kills what runs
	closed atomic.Bool        // no more jobs
}

// outcome is what became of a job.
type outcome struct {
	job
	args    []string
	started time.Time
	elapsed time.Duration
	code    int // -1: there is none
	signal  int
	stdout  []byte
	stderr  []byte
	err     error // why it failed beyond that, for people
}

func (o *outcome) failed() bool { return o.code != 0 }

func newCrew(ctx context.Context, o *options, host *runtime.Host, in *inputs, skip map[int]bool) *crew {
	c := &crew{options: o, host: host, in: in, skip: skip, outcomes: make(chan outcome)}
	c.ctx, c.abort = context.WithCancel(ctx)
	var slots sync.WaitGroup
	for range o.slots {
		slots.Go(c.work)
	}
	go func() {
		slots.Wait()
		close(c.outcomes)
	}()
	return c
}

// finish has no more jobs begun.
func (c *crew) finish() { c.closed.Store(true) }

// work is one slot.
func (c *crew) work() {
	for !c.closed.Load() && c.ctx.Err() == nil {
		j, ok := c.in.take()
		if !ok {
			return
		}
		if c.skip[j.number] {
			continue
		}
		o := c.attempt(j)
		var aborted *subprocess.CanceledError
		if errors.As(o.err, &aborted) || errors.Is(o.err, context.Canceled) {
			return // it has neither succeeded nor failed: a later run may do it
		}
		c.outcomes <- o
	}
}

// attempt runs a job until it succeeds or has had its attempts.
func (c *crew) attempt(j job) (o outcome) {
	for range c.options.retries {
		if o = c.run(j); !o.failed() || c.ctx.Err() != nil {
			break
		}
	}
	return o
}

func (c *crew) run(j job) outcome {
	cmd := c.options.cmd(j)
	o := outcome{job: j, args: cmd.Args, started: time.Now()}
	if c.options.dryRun {
		return o
	}
	cmd.Host = c.host
	result, err := subprocess.Run(c.ctx, cmd)
	o.elapsed = time.Since(o.started)
	o.stdout, o.stderr, o.err = result.Stdout, result.Stderr, err
	o.code = codeOf(result, err)
	if result.Exit.Kind == reactor.Signalled {
		o.signal = int(result.Exit.Signal)
	}
	return o
}

// codeOf is a job's exit code, as a shell would tell it.
func codeOf(result subprocess.Result, err error) int {
	var start *subprocess.StartError
	var stream *subprocess.StreamError
	switch {
	case errors.As(err, &start) && errors.Is(err, fs.ErrPermission):
		return 126
	case errors.As(err, &start):
		return 127
	case err != nil && !errors.As(err, &stream): // its timeout
		return -1
	case result.Exit.Kind == reactor.Exited:
		return result.Exit.Code
	case result.Exit.Kind == reactor.Signalled:
		return 128 + int(result.Exit.Signal)
	}
	return -1
}
