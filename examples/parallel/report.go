package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// report writes what has become of jobs, in the order of their ends or of their
// numbers.
type report struct {
	options        *options
	stdout, stderr io.Writer
	log            *joblog

	done   int
	failed int
	last   int             // exit code of the last one that failed
	early  map[int]outcome // have ended before one with a lower number
	next   int             // the number that is to be written, less one
	begun  time.Time
}

// take takes an outcome in.
func (r *report) take(o outcome) {
	if r.begun.IsZero() {
		r.begun = o.started
	}
	r.done++
	if o.failed() {
		r.failed++
		r.last = o.code
	}
	r.log.note(o)
	if !r.options.ordered {
		r.write(o)
	} else {
		r.inOrder(o)
	}
	if r.options.progress {
		fmt.Fprintf(r.stderr, "parallel: %d done, %d of them failed, after %v\n", r.done, r.failed, time.Since(r.begun).Round(time.Millisecond))
	}
}

// inOrder writes what can be written by now.
func (r *report) inOrder(o outcome) {
	if r.early == nil {
		r.early = map[int]outcome{}
	}
	r.early[o.number] = o
	for {
		for r.log.done[r.next+1] {
			r.next++
		}
		o, ok := r.early[r.next+1]
		if !ok {
			return
		}
		delete(r.early, o.number)
		r.next++
		r.write(o)
	}
}

// write writes a job's output, in one piece.
func (r *report) write(o outcome) {
	if r.options.dryRun {
		fmt.Fprintln(r.stdout, strings.Join(o.args, " "))
		return
	}
	_, _ = r.stdout.Write(o.stdout)
	_, _ = r.stderr.Write(o.stderr)
	if o.err != nil {
		fmt.Fprintf(r.stderr, "parallel: job %d: %v\n", o.number, o.err)
	}
}

// end writes what is left and returns the exit code.
func (r *report) end() int {
	for len(r.early) > 0 { // behind jobs that were never run
		r.next++
		if o, ok := r.early[r.next]; ok {
			delete(r.early, r.next)
			r.write(o)
		}
	}
	if r.options.summary {
		fmt.Fprintf(r.stdout, "result: %d jobs, %d failed, in %v\n", r.done, r.failed, time.Since(r.begun).Round(time.Millisecond))
	}
	switch {
	case r.options.halt.action == haltNow && r.options.halt.verdict(r.failed) == haltNow && r.last > 0:
		return r.last
	case r.failed > 100:
		return exitMany
	}
	return r.failed
}
