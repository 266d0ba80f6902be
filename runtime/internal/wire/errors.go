package wire

import "fmt"

// Error says that the bytes on a channel are not what the protocol allows. The
// side that sent them can no longer be trusted.
type Error struct {
	What   string // frame, hello, task, result …
	Reason string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("worker protocol: bad %s: %s", e.What, e.Reason) }
