package pool

import (
	"time"

	"github.com/stint-go/stint/actors"
)

// verdict says why a job that has begun is being ended.
type verdict struct {
	bound bound
	used  int64  // of what a boundCPUTime counts, in nanoseconds, or a boundMemory, in bytes
	cause error  // of a kill; nil: Future.Kill
	stack string // where the task was then; empty: unknown
}

// bound is which of a running task's limits it has reached.
type bound uint8

const (
	boundNone    bound = iota // it is killed for another reason
	boundRunning              // how long it may run
	boundSilence              // how long it may be silent
	boundCPUTime              // how much processor time its worker may use
	boundMemory               // how much memory its worker may take
)

// actorsCause says the same of the worker, as its process's actor would.
func (v *verdict) actorsCause(run Run, l *limits) actors.Cause {
	switch v.bound {
	case boundRunning, boundSilence:
		return actors.Cause{Kind: actors.CauseDeadline}
	case boundCPUTime, boundMemory:
		return actors.Cause{Kind: actors.CauseKill, Err: v.excess(run, l)}
	}
	return actors.Cause{Kind: actors.CauseKill, Err: v.cause}
}

// error makes the future's error; own is the task's own error, if it gave one.
func (v *verdict) error(run Run, l *limits, own error) error {
	if of, ok := own.(*TaskError); ok {
		own = of.Err // the run is told already
	}
	switch v.bound {
	case boundRunning:
		return &TimeoutError{Run: run, Limit: l.running, Err: own, Stack: v.stack}
	case boundSilence:
		return &SilenceError{Run: run, Limit: l.silence, Err: own, Stack: v.stack}
	case boundCPUTime, boundMemory:
		return &ExcessError{Run: run, Why: v.excess(run, l), Err: own, Stack: v.stack}
	}
	return &KilledError{Run: run, Cause: v.cause, Err: own, Stack: v.stack}
}

// excess says what the worker has used too much of.
func (v *verdict) excess(run Run, l *limits) error {
	if v.bound == boundMemory {
		return &MemoryError{Run: run, Limit: l.memory, Used: v.used, Option: optionMemory}
	}
	return &CPUTimeError{Limit: l.cpu, Used: time.Duration(v.used), Option: optionCPUTime}
}
