package pool

import (
	"errors"
	"fmt"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

// Limits bound the memory, the CPU time, the open files, and so on of a worker.
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

// LimitError says which of the [Limits] could not be set, and why.
type LimitError = actors.LimitError

// OutOfMemoryError is the Err of a [WorkerError] if the worker was killed, most likely
// by the kernel, which was out of memory, and there is evidence for it.
type OutOfMemoryError = actors.OutOfMemoryError

// MemoryError is the Err of a [WorkerError] if the worker and what its tasks had started
// had together reached the Memory of Config.Limits, so that they were killed: by the
// kernel, or by the host, as Err tells, an *actors.MemoryError. And it is the Why of an
// [ExcessError] if the worker had taken more since the task began than [WithMemory] allows.
type MemoryError struct {
	Run
	Limit  int64 // in bytes
	Used   int64 // the most that was seen, in bytes
	Err    error
	Option string // whose limit it was: "Limits.Memory" or "WithMemory"
}

// Error implements error; it leaves the Run to the error that this one is in.
func (e *MemoryError) Error() string {
	if e.Option == optionMemory {
		return fmt.Sprintf("it had %d bytes of memory more than when the task began, and %s is %d", e.Used, e.Option, e.Limit)
	}
	text := fmt.Sprintf("it and what it had started had %d bytes of memory, and Limits.Memory is %d", e.Used, e.Limit)
	if why, is := errors.AsType[*actors.MemoryError](e.Err); is {
		text += ": " + why.How()
	}
	return text
}

// Unwrap returns what the actors say of the process.
func (e *MemoryError) Unwrap() error { return e.Err }

// overMemory returns a *MemoryError if that is the cause of a worker's end, and else
// what there is.
func overMemory(run Run, cause actors.Cause) error {
	if over, is := errors.AsType[*actors.MemoryError](cause.Err); is {
		return &MemoryError{Run: run, Limit: over.Limit, Used: over.Used, Err: over, Option: "Limits.Memory"}
	}
	return cause.Err
}

// CPUTimeError is the Err of a [WorkerError] if the worker had used up the
// CPUTime of Config.Limits when the system ended it; and the Why of an [ExcessError] if
// it had used more since the task began than [WithCPUTime] allows.
type CPUTimeError struct {
	Used, Limit time.Duration
	Option      string // whose limit it was: "Limits.CPUTime" or "WithCPUTime"
}

// Error implements error.
func (e *CPUTimeError) Error() string {
	if e.Option == optionCPUTime {
		return fmt.Sprintf("it had used %v of CPU time since the task began, and %s is %v", e.Used.Round(time.Millisecond), e.Option, e.Limit)
	}
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
	return &CPUTimeError{Used: used, Limit: limit, Option: "Limits.CPUTime"}
}
