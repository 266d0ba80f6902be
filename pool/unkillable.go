package pool

import (
	"errors"
	"fmt"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

// This file is about workers that SIGKILL does not end, since the kernel holds them:
// for a disk or a network file system that does not answer, mostly. The host gives
// such a worker up after its KillTimeout. To its pool that is an end like any; only
// that what is left of the worker, its corpse, is counted until it goes.

// ErrUnkillable: a worker was killed and did not end; see *UnkillableError and
// *LeftError.
var ErrUnkillable = actors.ErrUnkillable

// UnkillableError: the task's worker was killed and has not ended within the host's
// KillTimeout, 5 s if that says nothing else. It matches ErrUnkillable, and what Err
// matches, as context.DeadlineExceeded after a timeout.
//
// The task does not run on: a killed process executes nothing of its program any
// more. But it can hold on to memory, files and locks until the kernel lets go of it.
// Stats.Unkillable counts it until then.
type UnkillableError struct {
	Run
	After time.Duration // from SIGKILL until the worker was given up
	Err   error         // what the task would have failed with; nil: it was not the task that was to be ended
	Why   error         // what is known of it
}

// Error implements error.
func (e *UnkillableError) Error() string {
	text := fmt.Sprintf("%v: the worker was killed and its process is still there %v later", e.Run, e.After.Round(time.Millisecond))
	if e.Err != nil {
		text = fmt.Sprintf("%v; its worker was killed for it, and its process is still there %v later", e.Err, e.After.Round(time.Millisecond))
	}
	return fmt.Sprintf("%s: %v. The task does not run on, and another worker takes its place; see what it waits for (/proc/%d/stack), "+
		"and mend that or restart the machine", text, e.Why, e.PID)
}

// Format implements fmt.Formatter: %+v prints the task's stack as well, if it is known.
func (e *UnkillableError) Format(s fmt.State, verb rune) {
	formatWithStack(s, verb, e, stackIn(e.Err))
}

// Is matches ErrUnkillable.
func (e *UnkillableError) Is(target error) bool { return target == ErrUnkillable }

// Unwrap returns what the task would have failed with.
func (e *UnkillableError) Unwrap() error { return e.Err }

// stackIn returns the stack that the error of an ended task bears.
func stackIn(err error) string {
	switch e := err.(type) {
	case *TimeoutError:
		return e.Stack
	case *SilenceError:
		return e.Stack
	case *ExcessError:
		return e.Stack
	case *KilledError:
		return e.Stack
	}
	return ""
}

// LeftError: a pool is shut down, and workers that were killed have not ended. It
// matches ErrUnkillable. They end as soon as the kernel lets go of them, and serve
// nothing any more.
type LeftError struct {
	PIDs []int
}

// Error implements error.
func (e *LeftError) Error() string {
	return fmt.Sprintf("the pool is closed, and workers are left that were killed and have not ended, since the kernel holds them (see /proc/PID/stack): %v", e.PIDs)
}

// Is matches ErrUnkillable.
func (e *LeftError) Is(target error) bool { return target == ErrUnkillable }

// unkillable returns why a report is one of a worker that was given up, or nil: it
// has ended.
func unkillable(e reactor.Exit) *actors.UnkillableError {
	why, _ := e.Err.(*actors.UnkillableError)
	return why
}

// entomb notes a worker that was given up. Under the lock.
func (p *ProcessPool) entomb(m *member, report actors.Report) {
	m.cause = report.Cause
	p.corpses[m] = struct{}{}
}

// Gone implements actors.Mourner: the worker has ended after all.
func (m *member) Gone(e reactor.Exit) {
	p := m.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.corpses, m)
	p.events.exited(m.event(), actors.Report{PID: e.PID, Exit: e, Cause: m.cause})
}

// left says which workers have not ended though the pool has.
func (p *ProcessPool) left() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.corpses) == 0 {
		return nil
	}
	e := &LeftError{}
	for m := range p.corpses {
		e.PIDs = append(e.PIDs, m.process.PID())
	}
	return e
}

// withLeft adds what is left to the error of a shutdown.
func withLeft(err, left error) error {
	switch {
	case left == nil:
		return err
	case err == nil:
		return left
	}
	return errors.Join(err, left)
}
