package reactor

import (
	"errors"
	"fmt"
)

// Conditions that the errors of this package match with errors.Is.
var (
	// ErrClosed says that the reactor was closed.
	ErrClosed = errors.New("the reactor was closed")
	// ErrInvalidPID refuses a pid of 1 or less, which would name init or a whole
	// group of processes, and the program's own.
	ErrInvalidPID = errors.New("invalid pid: it must be greater than 1 and not the program's own")
	// ErrNilDeliver refuses a watch that would have nobody to tell.
	ErrNilDeliver = errors.New("no function to deliver the exit to")
	// ErrNotLeader refuses [WithGroup] for a process that leads no group of its own.
	ErrNotLeader = errors.New("it leads no process group: start it with SysProcAttr.Setpgid or Setsid")
	// ErrNoGroup refuses SignalGroup on a watch that was made without [WithGroup].
	ErrNoGroup = errors.New("the watch was made without WithGroup")
	// ErrStopped refuses a signal through a watch that was stopped and let go of its process.
	ErrStopped = errors.New("the watch was stopped")
	// ErrUnknownBackend refuses a back end that has no such name or number.
	ErrUnknownBackend = errors.New("no such back end; the names are auto, pidfd, poll and waiter")
)

// Reasons why an exit is [Unknown], as Exit.Err.
var (
	// ErrNotChild also refuses [WithGroup] for a process that is not a child of
	// this program: its group id is safe only as long as its parent does not reap it.
	ErrNotChild = errors.New("not a child of this program, and the kernel told no status (Linux does from 6.15)")
	// ErrReapedElsewhere says that another waiter of this program took the
	// status, or nobody did because SIGCHLD is ignored.
	ErrReapedElsewhere = errors.New("its status went to another waiter of this program, or SIGCHLD is ignored")
	// ErrObserved says that a child that [Reactor.Observe] watches has ended, and
	// that this system tells its status to whoever reaps it and to nobody else.
	ErrObserved = errors.New("a child that is only observed; on this system its status is its reaper's")
	// ErrUnreaped says that the process has ended and its parent, another
	// program, still has to reap it; the kernel tells its status only after that.
	ErrUnreaped = fmt.Errorf("not a child of this program, and its parent did not reap it within %v", reapGrace)
)

// WatchError is the error of an operation on one process. It unwraps to the
// condition: one of this package's, [os.ErrProcessDone], [errors.ErrUnsupported]
// or a system error.
type WatchError struct {
	PID int    // the process
	Op  string // what was tried: "watch", "signal" or "signal the group of"
	Err error  // why it failed
}

// Error implements error.
func (e *WatchError) Error() string {
	return fmt.Sprintf("reactor: %s process %d: %v", e.Op, e.PID, e.Err)
}

// Unwrap returns the reason.
func (e *WatchError) Unwrap() error { return e.Err }

// BackendError says why [New] has no back end to work with. It unwraps to
// [ErrUnknownBackend], [errors.ErrUnsupported] or a system error.
type BackendError struct {
	Name string // the back end that was asked for or tried
	From string // who asked: "Config.Backend", "STINT_REACTOR" or "the system's default"
	Err  error  // why it cannot be had
}

// Error implements error.
func (e *BackendError) Error() string {
	return fmt.Sprintf("reactor: back end %q (from %s): %v", e.Name, e.From, e.Err)
}

// Unwrap returns the reason.
func (e *BackendError) Unwrap() error { return e.Err }
