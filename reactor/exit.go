package reactor

import (
	"syscall"
	"time"
)

// Kind says how a process ended.
type Kind uint8

const (
	Unknown   Kind = iota // it has ended, and how could not be learnt; Exit.Err says why
	Exited                // it ended by itself, with Exit.Code
	Signalled             // Exit.Signal ended it
)

// Exit is what is known of a process that has ended.
type Exit struct {
	PID        int
	Kind       Kind
	Code       int            // of Exited: 0 to 255 on unix, 32 bits on Windows
	Signal     syscall.Signal // of Signalled
	CoreDumped bool           // of Signalled: a core was dumped
	Usage      *Usage         // what it consumed; nil where that is not known
	Time       time.Time      // when the exit was noticed
	Err        error          // of Unknown: why
}

// Success reports that the process was seen to exit with code 0.
func (e Exit) Success() bool { return e.Kind == Exited && e.Code == 0 }

// String describes the exit: "exited with code 3", "killed by SIGKILL".
func (e Exit) String() string { return "" }

// Usage is what a process and those of its descendants that it waited for consumed.
type Usage struct {
	User, System time.Duration // CPU time
	MaxRSS       int64         // largest resident set, in bytes
}
