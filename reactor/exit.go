package reactor

import (
	"fmt"
	"syscall"
	"time"
)

// Kind says how a process ended.
type Kind uint8

const (
	Unknown   Kind = iota // it has ended, and how could not be learnt: Exit.Err says why
	Exited                // it ended by itself, with Exit.Code
	Signalled             // Exit.Signal ended it
)

// String returns the kind in lower case.
func (k Kind) String() string {
	switch k {
	case Unknown:
		return "unknown"
	case Exited:
		return "exited"
	case Signalled:
		return "signalled"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Exit tells how a process ended. Success is only what was seen to succeed: a
// status that was lost is [Unknown].
type Exit struct {
	PID        int            // may belong to another process by now
	Kind       Kind           // which of the fields below count
	Code       int            // of Exited: 0 to 255 on unix, 32 bits on Windows
	Signal     syscall.Signal // of Signalled
	CoreDumped bool           // of Signalled: the kernel wrote a core
	Usage      *Usage         // what the process consumed; nil where it is not known
	Time       time.Time      // when the reactor noticed the exit
	Err        error          // of Unknown: the reason, such as ErrNotChild
}

// Success reports that the process was seen to exit with code 0.
func (e Exit) Success() bool { return e.Kind == Exited && e.Code == 0 }

// String describes the exit: "exited with code 3", "killed by SIGKILL",
// "killed by SIGSEGV (core dumped)", "ended with unknown status: …".
func (e Exit) String() string {
	switch e.Kind {
	case Exited:
		return fmt.Sprintf("exited with code %d", e.Code)
	case Signalled:
		if e.CoreDumped {
			return "killed by " + signalName(e.Signal) + " (core dumped)"
		}
		return "killed by " + signalName(e.Signal)
	}
	if e.Err == nil {
		return "ended with unknown status"
	}
	return fmt.Sprintf("ended with unknown status: %v", e.Err)
}

// Usage is what a process consumed, together with those of its descendants that
// it waited for. Fields that the system does not count are 0.
type Usage struct {
	User   time.Duration // CPU time outside the kernel
	System time.Duration // CPU time in the kernel
	MaxRSS int64         // largest resident set, in bytes

	MinorFaults         int64 // page faults served without I/O
	MajorFaults         int64 // page faults that read from a disk
	VoluntarySwitches   int64 // times that it gave the CPU up to wait
	InvoluntarySwitches int64 // times that the CPU was taken from it
}
