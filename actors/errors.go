package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stint-go/stint/reactor"
)

// Conditions that errors of this package match with errors.Is.
var (
	// ErrClosed: the system was closed, or the supervisor stopped before the start.
	ErrClosed = errors.New("actors: closed")
	// ErrBroken: too many starts failed; see *BrokenError.
	ErrBroken = errors.New("actors: broken")
)

// errChannelClosed is what is told of a process that outlives its channel.
var errChannelClosed = errors.New("the process closed its channel and did not exit")

// BrokenError says why a supervisor gave up. It matches [ErrBroken], and with
// errors.Is and errors.As what Last matches.
type BrokenError struct {
	Name     string        // of the supervision
	Failures int           // failed starts within Within
	Within   time.Duration // the time in which they were counted
	Final    bool          // Last was marked with Permanent: another try would be useless
	Last     error         // the latest failure
}

// Error implements error.
func (e *BrokenError) Error() string {
	if e.Final {
		return fmt.Sprintf("actors: %s is broken, and another try would be useless: %v", e.Name, e.Last)
	}
	return fmt.Sprintf("actors: %s is broken: %d starts within %v did not become ready, the last one because: %v",
		e.Name, e.Failures, e.Within, e.Last)
}

// Is reports whether target is [ErrBroken].
func (e *BrokenError) Is(target error) bool { return target == ErrBroken }

// Unwrap returns the latest failure.
func (e *BrokenError) Unwrap() error { return e.Last }

// StartError says that a process could not be started or, once started, not be
// watched. Err is an *fs.PathError that names the path, or a *reactor.WatchError.
type StartError struct {
	Path string // of the program
	Err  error
}

// Error implements error.
func (e *StartError) Error() string { return fmt.Sprintf("actors: start %s: %v", e.Path, e.Err) }

// Unwrap returns the reason.
func (e *StartError) Unwrap() error { return e.Err }

// NotReadyError says that a process ended before it became ready.
type NotReadyError struct {
	PID   int
	Exit  reactor.Exit
	After time.Duration // from its start to its exit
	Cause Cause         // of the exit
}

// Error implements error.
func (e *NotReadyError) Error() string {
	s := fmt.Sprintf("actors: process %d %v after %v, before it was ready", e.PID, e.Exit, e.After.Round(time.Microsecond))
	if e.Cause.Kind != CauseNone {
		s += " (" + e.Cause.String() + ")"
	}
	return s
}

// Unwrap returns the cause's error, which may be nil.
func (e *NotReadyError) Unwrap() error { return e.Cause.Err }

// StartTimeoutError is the Err of a CauseStart: the process was given Limit to
// become ready and was killed. It matches context.DeadlineExceeded.
type StartTimeoutError struct {
	Limit time.Duration
}

// Error implements error.
func (e *StartTimeoutError) Error() string {
	return fmt.Sprintf("actors: not ready within %v of its start", e.Limit)
}

// Is reports whether target is context.DeadlineExceeded.
func (e *StartTimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// ShutdownError says that the context of a Shutdown ended before all processes
// had, and that the rest was killed. It matches the context's cause.
type ShutdownError struct {
	Killed int // processes that got KILL
	Err    error
}

// Error implements error.
func (e *ShutdownError) Error() string {
	return fmt.Sprintf("actors: the shutdown ran out of time (%v): processes killed: %d", e.Err, e.Killed)
}

// Unwrap returns the context's cause.
func (e *ShutdownError) Unwrap() error { return e.Err }

// ConfigError says which field of a configuration cannot be used, and why.
type ConfigError struct {
	Field  string // as in "Supervision.Workers"
	Reason string
}

// Error implements error.
func (e *ConfigError) Error() string { return fmt.Sprintf("actors: %s: %s", e.Field, e.Reason) }

// Permanent marks a failure to start for which another try is useless: it breaks
// the supervisor at once. It is for the errors that Prepare and Exited
// return and for Cause.Err, at any depth of wrapping. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ error }

func (e *permanentError) Unwrap() error { return e.error }

func isPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}
