package pool

import (
	"fmt"
	"time"
)

// The options whose limits are counted by what the kernel tells of the worker.
const (
	optionCPUTime = "WithCPUTime"
	optionMemory  = "WithMemory"
)

// WithCPUTime limits how much processor time the task's worker may use while the task
// runs: all threads of its process together, but not the processes that the task starts.
// What earlier tasks have used does not count; what they have left running does, and so
// does the collection of their garbage. A task that has used it up ends as at a deadline:
// its context ends, and if it does not return within Config.Grace its worker is killed. Its
// error is an [*ExcessError] with a [*CPUTimeError].
//
// 0 means no limit. A negative one fails the task with a *ConfigError, and so does any
// where it cannot be enforced: on a goroutine pool, since the system does not tell what a
// goroutine uses, and on other systems than Linux.
//
// The worker is not asked: the kernel's clock of its process is read, see
// clock_getcpuclockid(3), when the limit can be used up at the earliest, with all
// processors of the machine at work for the task, and at most once in 10 ms. So a task can
// use as much more as they do in 10 ms, and in its grace. A reading costs 0.4 µs, and of a
// worker with 4000 threads 200 µs: it is read less often if that took a hundredth of the
// time, but each 200 ms.
//
// Limits.CPUTime of [Config] is for all tasks of a worker together.
func WithCPUTime(limit time.Duration) Option {
	return func(j *Job) { j.ownLimits().cpu = limit }
}

// WithMemory limits how many bytes more than when the task began its worker may have
// resident: its process, but not those that the task starts. It is for what a task takes,
// and not for the size of the worker, whose heap keeps what earlier tasks have used: a
// task that makes do with that takes nothing. What a large argument or result takes of
// Config.SharedMemory counts. Beyond the limit the worker is killed at once. The error is an
// [*ExcessError] with a [*MemoryError].
//
// 0 means no limit. A negative one fails the task with a *ConfigError, and so does any
// where it cannot be enforced: on a goroutine pool, whose tasks share one heap, and on
// other systems than Linux.
//
// The worker is not asked: the kernel is (statm in proc_pid_statm(5)), before the task is
// given to a worker, which has nothing else to do then, and every 100 ms while it runs. So
// it can have more for so long. A look costs some 10 µs, the one before 30, as it is waited
// for. The task ends with a
// *KilledError if for a second its worker could not be looked at, as for want of
// descriptors, or shows nothing. Limits.Memory of [Config] bounds a worker with all that its tasks start,
// and without a gap where there are control groups.
func WithMemory(limit int64) Option {
	return func(j *Job) { j.ownLimits().memory = limit }
}

// enforceable returns a *ConfigError for a limit that this system does not let the
// pool enforce.
func (l *limits) enforceable() error {
	if l.cpu > 0 {
		if err := processorTimeTold(); err != nil {
			return &ConfigError{Field: optionCPUTime, Reason: fmt.Sprintf("this system does not tell how much processor time a process has used: %v", err)}
		}
	}
	if l.memory > 0 {
		if err := memoryTold(); err != nil {
			return &ConfigError{Field: optionMemory, Reason: fmt.Sprintf("this system does not tell how much memory a process has: %v", err)}
		}
	}
	return nil
}

// ofProcess returns a *ConfigError for a limit that only a process can be held to.
func (l *limits) ofProcess() error {
	switch {
	case l.cpu > 0:
		return &ConfigError{Field: optionCPUTime, Reason: "the system does not tell what a goroutine uses of the processors: run the task on a process pool"}
	case l.memory > 0:
		return &ConfigError{Field: optionMemory, Reason: "goroutines share the memory of their program: run the task on a process pool"}
	}
	return nil
}

// ExcessError: the task's worker had used more than the task may: see [WithCPUTime] and
// [WithMemory]. It is told as a TimeoutError is, and counts for Config.Quarantine as one
// does. A [Retry] does not try the task again, since that would use as much, unless its On
// says so, as OnAny does.
type ExcessError struct {
	Run
	Why   error  // what it had used: a *CPUTimeError or a *MemoryError
	Err   error  // the task's own error, if it gave up within the grace period
	Stack string // as in TimeoutError; empty after a *MemoryError, as nothing is asked then
}

// Error implements error.
func (e *ExcessError) Error() string {
	return fmt.Sprintf("%v: its worker was over a limit of the task: %v%s", e.Run, e.Why, e.consequence(e.Err))
}

// Format implements fmt.Formatter: %+v prints the stack as well.
func (e *ExcessError) Format(s fmt.State, verb rune) { formatWithStack(s, verb, e, e.Stack) }

// Unwrap returns what had been used, and the task's own error, if it gave one.
func (e *ExcessError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Why}
	}
	return []error{e.Why, e.Err}
}
