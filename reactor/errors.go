package reactor

import (
	"errors"
	"fmt"
)

// Conditions that errors of this package match with errors.Is.
var (
	// ErrClosed: the reactor was closed.
	ErrClosed = errors.New("reactor: closed")
	// ErrInvalidPID: a pid of 1 or less, or the program's own.
	ErrInvalidPID = errors.New("invalid pid")
	// ErrNilDeliver: a watch without a function to deliver its exit to.
	ErrNilDeliver = errors.New("nil deliver function")
	// ErrNoGroup: SignalGroup on a watch that was made without [WithGroup].
	ErrNoGroup = errors.New("the watch was made without WithGroup")
)

// WatchError is the error of every operation on one process.
type WatchError struct {
	PID int    // the process
	Op  string // what was tried, such as "watch", "signal"
	Err error  // why it failed
}

func (e *WatchError) Error() string {
	return fmt.Sprintf("reactor: %s process %d: %v", e.Op, e.PID, e.Err)
}

// Unwrap returns the reason, so that errors.Is and errors.As see it.
func (e *WatchError) Unwrap() error { return e.Err }
