package pool

import (
	"errors"
	"fmt"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

// Limits bound the address space, the CPU time, the open files, and so on of a
// worker.
type Limits = actors.Limits

// Privileges are who a worker runs as, and what it may open.
type Privileges = actors.Privileges

// User is who a worker runs as.
type User = actors.User

// Paths bounds what a worker may open.
type Paths = actors.Paths

// NoCore, as the CoreSize of [Limits], has no core file written.
const NoCore = actors.NoCore

func (c *Config) checkBounds() error {
	var unfit *actors.ConfigError
	if errors.As(errors.Join(c.Limits.Check(), c.Privileges.Check()), &unfit) {
		return &ConfigError{Field: unfit.Field, Reason: unfit.Reason}
	}
	return nil
}

// CPUTimeError is the Err of a [WorkerError] if the worker had used up the
// CPUTime of Config.Limits when the system ended it.
type CPUTimeError struct {
	Used, Limit time.Duration
}

// Error implements error.
func (e *CPUTimeError) Error() string {
	return fmt.Sprintf("it had used %v of CPU time, and Limits.CPUTime is %v", e.Used.Round(time.Millisecond), e.Limit)
}

// spentCPUTime returns a *CPUTimeError if that is what has ended a worker, or nil.
func spentCPUTime(e reactor.Exit, limit time.Duration) error {
	if e.Kind != reactor.Signalled || e.Usage == nil {
		return nil
	}
	used := e.Usage.User + e.Usage.System
	if used < limit {
		return nil
	}
	return &CPUTimeError{Used: used, Limit: limit}
}
