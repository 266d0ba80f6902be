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
}

// Success reports that the command was seen to exit with code 0.
func (r Result) Success() bool { return r.Exit.Success() }

// Duration is the time from the start to the exit.
func (r Result) Duration() time.Duration { return r.Exit.Time.Sub(r.Started) }
