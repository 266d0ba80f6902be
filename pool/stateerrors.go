package pool

import (
	"errors"
	"fmt"
	"time"

	"github.com/stint-go/stint/reactor"
)

// InitializerError: a worker could not make its state, so it never ran a task. It
// is in a *BrokenError if it broke the pool. It matches what the initializer
// returned, as far as RegisterError lets that through; if the time was over,
// context.DeadlineExceeded.
type InitializerError struct {
	State   string        // its registered name
	Worker  int           // the worker's number in its pool
	PID     int           // of the worker process; 0 in a goroutine pool
	Elapsed time.Duration // of the initializer; if it did not end, of the worker's life
	Err     error         // of the initializer, a *PanicError included; nil: the worker ended by itself
	Exit    reactor.Exit  // of the worker process
	Stderr  string        // the last 16 KiB that it wrote to standard error
}

// Error implements error; it does not print Stderr.
func (e *InitializerError) Error() string {
	run := Run{Worker: e.Worker, PID: e.PID, Elapsed: e.Elapsed}
	var panicked *PanicError
	switch {
	case e.Err == nil:
		return fmt.Sprintf("the initializer of state %q%s: the worker %v", e.State, run.where(), e.Exit)
	case errors.As(e.Err, &panicked):
		return fmt.Sprintf("the initializer of state %q%s: panic: %s", e.State, run.where(), panicked.Value)
	}
	return fmt.Sprintf("the initializer of state %q%s: %v", e.State, run.where(), e.Err)
}

// Unwrap returns the initializer's error.
func (e *InitializerError) Unwrap() error { return e.Err }

// StateError: State.From was asked for a state that its worker does not have.
type StateError struct {
	State string // that was asked for
	Has   string // that the worker has; empty: none
}

// Error implements error.
func (e *StateError) Error() string {
	if e.Has == "" {
		return fmt.Sprintf("there is no state %q: it is no context of a task, or its pool has no Config.Initializer", e.State)
	}
	return fmt.Sprintf("there is no state %q: the Config.Initializer of this task's pool makes state %q", e.State, e.Has)
}
