package runtime

import (
	"errors"
	"fmt"
	"strings"
)

// ErrUnknownContainment: no such containment.
var ErrUnknownContainment = errors.New("unknown containment: neither auto nor cgroup, mark or group")

// ErrUnknownLimiter: no such limiter.
var ErrUnknownLimiter = errors.New("unknown limiter: neither auto nor cgroup or watch")

// StartError says which part of a host could not be started, and why.
type StartError struct {
	What string // "reactor", "actor system", "containment" or "limiter"
	Err  error
}

// Error implements error.
func (e *StartError) Error() string { return fmt.Sprintf("start the %s: %v", e.What, e.Err) }

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Err }

// ContainmentError says why a containment cannot be had here. It matches what Err
// matches: errors.ErrUnsupported on other systems than Linux, fs.ErrPermission
// where control groups are not this user's to make.
type ContainmentError struct {
	Containment Containment
	Err         error
}

// Error implements error.
func (e *ContainmentError) Error() string {
	return fmt.Sprintf("containment %v cannot be had: %v", e.Containment, e.Err)
}

// Unwrap returns the reason.
func (e *ContainmentError) Unwrap() error { return e.Err }

// LeftError says what a host that was closed has left, although all of it was
// killed: the kernel holds it, and it ends as soon as that lets it go.
type LeftError struct {
	PIDs   []int    // processes that have not ended
	Groups []string // directories of control groups that could not be removed
	Err    error    // what kept others from being looked at or killed; may be nil
}

// Error implements error.
func (e *LeftError) Error() string {
	var left []string
	if len(e.PIDs) > 0 {
		left = append(left, fmt.Sprintf("processes that were killed and do not end, since the kernel holds them (see their state and /proc/PID/stack): %v", e.PIDs))
	}
	if len(e.Groups) > 0 {
		left = append(left, fmt.Sprintf("control groups that are not empty: %v", strings.Join(e.Groups, ", ")))
	}
	if e.Err != nil {
		left = append(left, e.Err.Error())
	}
	return "the host is closed, and this is left: " + strings.Join(left, "; ")
}

// Unwrap returns what kept others from being looked at or killed.
func (e *LeftError) Unwrap() error { return e.Err }
