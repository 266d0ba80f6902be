package pool

import (
	"context"
	"fmt"
	"time"
)

// TimeoutError: the task was still running at its deadline. On a process pool it
// is told when the worker's exit has been seen, or when the task gave up within
// the grace period; Err is then the task's own error, otherwise nil. It matches
// context.DeadlineExceeded.
type TimeoutError struct {
	Run
	Limit time.Duration
	Err   error
	// Stack is where the task was when it was told to end: the stack of its goroutine
	// and of those that it has started. Of a worker that could not tell, it is what
	// standard error held at the end of all stacks, by SIGQUIT. It is empty if there
	// was no grace for the question, or no answer. %+v prints it.
	Stack string
}

// Error implements error.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("%v: over its limit of %v%s", e.Run, e.Limit, e.consequence(e.Err))
}

// Format implements fmt.Formatter: %+v prints the stack as well.
func (e *TimeoutError) Format(s fmt.State, verb rune) { formatWithStack(s, verb, e, e.Stack) }

// Is matches context.DeadlineExceeded.
func (e *TimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// Unwrap returns the task's own error, if it gave one.
func (e *TimeoutError) Unwrap() error { return e.Err }

// Timeout reports true, as net.Error's does.
func (e *TimeoutError) Timeout() bool { return true }

// SilenceError: the running task gave no sign of life, by Heartbeat or Report,
// for as long as it may be silent. It is ended as at its deadline, and told as a
// TimeoutError is. It matches context.DeadlineExceeded.
type SilenceError struct {
	Run
	Limit time.Duration // of silence
	Err   error         // the task's own error, if it gave up within the grace period
	Stack string        // as in TimeoutError
}

// Error implements error.
func (e *SilenceError) Error() string {
	return fmt.Sprintf("%v: no sign of life for %v%s", e.Run, e.Limit, e.consequence(e.Err))
}

// Format implements fmt.Formatter: %+v prints the stack as well.
func (e *SilenceError) Format(s fmt.State, verb rune) { formatWithStack(s, verb, e, e.Stack) }

// Is matches context.DeadlineExceeded.
func (e *SilenceError) Is(target error) bool { return target == context.DeadlineExceeded }

// Unwrap returns the task's own error, if it gave one.
func (e *SilenceError) Unwrap() error { return e.Err }

// Timeout reports true, as net.Error's does.
func (e *SilenceError) Timeout() bool { return true }

// QueueTimeoutError: no worker had begun the task in the time that it may wait.
// It never ran, so its future is cancelled, and this is the cause in its
// *futures.CancelledError. It matches context.DeadlineExceeded.
type QueueTimeoutError struct {
	Task   string
	Waited time.Duration // since it was accepted
	Limit  time.Duration
}

// Error implements error.
func (e *QueueTimeoutError) Error() string {
	return fmt.Sprintf("task %q: no worker has begun it for %v, over its limit of %v",
		e.Task, e.Waited.Round(time.Microsecond), e.Limit)
}

// Is matches context.DeadlineExceeded.
func (e *QueueTimeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// Timeout reports true, as net.Error's does.
func (e *QueueTimeoutError) Timeout() bool { return true }

// consequence says what became of a task whose time is up; own is its own error,
// if it gave up.
func (r Run) consequence(own error) string {
	switch {
	case own != nil:
		return ", and gave up: " + own.Error()
	case r.PID == 0:
		return "; its goroutine cannot be killed and was abandoned"
	}
	return "; the worker was killed and replaced"
}
