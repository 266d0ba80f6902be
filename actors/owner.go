package actors

import (
	"time"

	"github.com/stint-go/stint/reactor"
)

// Owner is whoever a process works for. The process's actor calls its methods,
// one at a time; none may block, and all may call the Process's methods. A
// panic or runtime.Goexit in one of them ends the program.
//
// An owner hears either Started first and Exited last (or Unkillable, if it is a
// [Witness]), or StartFailed and nothing else, or nothing at all when Prepare returned an error.
type Owner interface {
	// Started says that the process runs and is watched.
	Started(p *Process)
	// Ask is the first rung of a ladder: ask the work politely to end.
	Ask(cause Cause)
	// Spared says that a ladder was called off in time; the process lives on.
	Spared()
	// Exited says how the process ended, when its channel has been read to the
	// end or has had its time for it. If its start has failed by that, what Exited
	// returns is told as the reason; nil: what the actors saw, a *NotReadyError.
	Exited(r Report) error
	// StartFailed says that the start failed after Prepare had succeeded: what
	// was prepared is to be released. The error is a *StartError or ErrClosed.
	StartFailed(err error)
}

// Report is all that is known of a process that has ended.
type Report struct {
	PID         int
	Exit        reactor.Exit
	Cause       Cause
	BecameReady bool
	Started     time.Time
	ReadyAt     time.Time // zero if it never became ready
	Drained     bool      // its channel was read to the end; false: DrainTimeout came first
}
