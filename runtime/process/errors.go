package process

import (
	"fmt"
	"os"
)

// ErrReused says that the process has ended and another has its pid now. It
// matches [os.ErrProcessDone].
var ErrReused = fmt.Errorf("%w, and its pid is another's now", os.ErrProcessDone)

// Error is the error of an operation on one process. It unwraps to the reason:
// [os.ErrProcessDone], [ErrReused], [errors.ErrUnsupported], a context's error or
// the system's.
type Error struct {
	PID int
	Op  string // what was tried, as "signal"
	Err error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s process %d: %v", e.Op, e.PID, e.Err) }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }
