package runtime

import "fmt"

// StartError says which part of a host could not be started, and why.
type StartError struct {
	What string // "reactor" or "actor system"
	Err  error
}

// Error implements error.
func (e *StartError) Error() string { return fmt.Sprintf("start the %s: %v", e.What, e.Err) }

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Err }
