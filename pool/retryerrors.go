package pool

import (
	"fmt"
	"strings"
)

// Attempt is one failed attempt of a task.
type Attempt struct {
	Run
	Err error // as the future's error would be, were it the only attempt
}

// RetryError: the task was tried again, and the last attempt has failed, too; or
// it would have been tried again, had that not been cut short. It matches what
// the last attempt's error matches, and its cause. A task that failed in its
// first attempt with an error that its policy does not want has that error
// itself.
type RetryError struct {
	Run                // of the last attempt
	Attempts []Attempt // in their order
	// Cause is why no other attempt followed though the policy left some: ErrKilled
	// after Future.Kill, the cause of the caller's context, ErrShutdown, a
	// *BrokenError, or that the policy panicked; nil: the attempts were used up, or
	// the policy did not want another.
	Cause error
}

// Error implements error. It tells the last attempt's error.
func (e *RetryError) Error() string {
	text := fmt.Sprintf("attempts that failed: %d; the last: %v", len(e.Attempts), e.last())
	if e.Cause != nil {
		text += fmt.Sprintf("; it was not tried again, because: %v", e.Cause)
	}
	return text
}

// Format implements fmt.Formatter: %+v prints all attempts, with their stacks.
func (e *RetryError) Format(s fmt.State, verb rune) {
	formatWithStack(s, verb, e, story(s, e.Attempts))
}

// Unwrap returns the last attempt's error and the cause, if there is one.
func (e *RetryError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.last()}
	}
	return []error{e.last(), e.Cause}
}

func (e *RetryError) last() error { return e.Attempts[len(e.Attempts)-1].Err }

// QuarantineError: so many workers in a row ended with the task that it is not
// tried again; see Config.Quarantine. It matches ErrQuarantined, and what the
// last error matches.
type QuarantineError struct {
	Run                // of the last worker that ended with it
	Workers  int       // how many did, in a row
	Attempts []Attempt // in which the task had begun, in their order
	Argument int       // bytes of its encoded argument; 0 on a goroutine pool
	Err      error     // the last worker's end: a *WorkerError, or a *TimeoutError
}

// Error implements error.
func (e *QuarantineError) Error() string {
	return fmt.Sprintf("task %q is quarantined: of the last %d workers each ended with it, in %d attempts or when it was next (its argument has %d bytes); the last one: %v",
		e.Task, e.Workers, len(e.Attempts), e.Argument, e.Err)
}

// Format implements fmt.Formatter: %+v prints all attempts, with their stacks.
func (e *QuarantineError) Format(s fmt.State, verb rune) {
	formatWithStack(s, verb, e, story(s, e.Attempts))
}

// Is matches ErrQuarantined.
func (e *QuarantineError) Is(target error) bool { return target == ErrQuarantined }

// Unwrap returns the last error.
func (e *QuarantineError) Unwrap() error { return e.Err }

// story tells the attempts if %+v asks for it.
func story(s fmt.State, attempts []Attempt) string {
	var b strings.Builder
	for n, a := range attempts {
		if s.Flag('+') {
			fmt.Fprintf(&b, "attempt %d: %+v\n", n+1, a.Err)
		}
	}
	return b.String()
}
