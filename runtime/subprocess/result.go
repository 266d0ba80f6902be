package subprocess

import (
	"time"

	"github.com/stint-go/stint/reactor"
)

// Result is what became of a command.
type Result struct {
	Args    []string
	PID     int
	Exit    reactor.Exit // kind, code or signal, and what it consumed
	Stdout  []byte       // what was captured
	Stderr  []byte
	Started time.Time
	// Complete: the command has exited, and all that went to its captured and
	// passed-on outputs was read to the end and kept.
	Complete bool
	// Strays is not nil if the command was killed, and what it had started outside of its
	// process group could not be looked for, so that it may live.
	Strays *StrayError
}

// Success reports that the command was seen to exit with code 0.
func (r Result) Success() bool { return r.Exit.Success() }

// Duration is the time from the start to the exit.
func (r Result) Duration() time.Duration { return r.Exit.Time.Sub(r.Started) }

// doubts are why it is not known what became of the command, or of what it has started.
func (r Result) doubts() (doubts []error) {
	if r.Exit.Err != nil {
		doubts = append(doubts, r.Exit.Err)
	}
	if r.Strays != nil {
		doubts = append(doubts, r.Strays)
	}
	return doubts
}

// escape says what Strays does, for the end of a message.
func (r Result) escape() string {
	if r.Strays == nil {
		return ""
	}
	return r.Strays.escape()
}
