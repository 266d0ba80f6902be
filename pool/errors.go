package pool

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime/worker"
)

// Conditions, for errors.Is.
var (
	// ErrClosed: the pool was shut down.
	ErrClosed = errors.New("the pool is closed")
	// ErrQueueFull: the queue was full and the pool refuses then.
	ErrQueueFull = errors.New("the pool's queue is full")
	// ErrBroken: the pool's workers cannot be started; see *BrokenError.
	ErrBroken = errors.New("the pool is broken")
	// ErrNoMain: pool.Main was not called before the first process pool.
	ErrNoMain = worker.ErrNoMain
	// ErrKilled: the task was ended by force while it ran; see *KilledError.
	ErrKilled = errors.New("the task was killed")
	// ErrShutdown: the cause of what a shutdown with Kill has killed or cancelled.
	ErrShutdown = errors.New("the pool was shut down")
	// ErrQuarantined: the task ended too many workers; see *QuarantineError.
	ErrQuarantined = errors.New("the task is quarantined")
	// ErrWorkerDied: the worker died under the task; see *WorkerError.
	ErrWorkerDied = errors.New("the worker died")
	// ErrGoexit: the task, or an initializer, called runtime.Goexit instead of
	// returning.
	ErrGoexit = errors.New("it called runtime.Goexit instead of returning")
	// ErrNotOwner: a task wanted to close the pool that runs it.
	ErrNotOwner = errors.New("a task cannot close the pool that runs it")
	// ErrNoTask: the context belongs to no running task; see From.
	ErrNoTask = errors.New("the context is not that of a running task: use the one that the task was given, or one derived from it")
	// ErrUnknownState: the worker knows no state of that name.
	ErrUnknownState = errors.New("the worker knows no such state: register states as package variables, so that they exist before pool.Main")
	// ErrUnknownTask: the worker knows no task of that name.
	ErrUnknownTask = errors.New("the worker knows no such task: register tasks as package variables, so that they exist before pool.Main")
)

// Run says which run of which task an error is about.
type Run struct {
	Task    string        // its registered name
	Worker  int           // the worker's number in its pool, from 1; 0 if none had it
	PID     int           // of the worker process; 0 in a goroutine pool
	Item    int           // its number in the input of a map, from 1; 0: it is of none
	Elapsed time.Duration // from the task's beginning to its end
}

// String names the task and, as far as they are known, worker, process and time.
func (r Run) String() string {
	item := ""
	if r.Item > 0 {
		item = fmt.Sprintf(" (item %d)", r.Item)
	}
	return fmt.Sprintf("task %q%s%s", r.Task, item, r.where())
}

// where tells worker, process and time, as far as they are known.
func (r Run) where() string {
	var b strings.Builder
	if r.Worker > 0 {
		fmt.Fprintf(&b, " on worker %d", r.Worker)
	}
	if r.PID > 0 {
		fmt.Fprintf(&b, " (pid %d)", r.PID)
	}
	if r.Elapsed > 0 {
		fmt.Fprintf(&b, " after %v", r.Elapsed.Round(time.Microsecond))
	}
	return b.String()
}

// KilledError: the task was ended while it ran, by Future.Kill, by the end of
// the context it was submitted with, or by a shutdown. It matches ErrKilled, and
// its cause: context.Canceled, context.DeadlineExceeded, ErrShutdown …
type KilledError struct {
	Run
	Cause error  // nil: Future.Kill
	Err   error  // the task's own error, if it gave up within the grace period
	Stack string // as in TimeoutError; empty after Future.Kill and a shutdown, which ask nothing
}

// Error implements error.
func (e *KilledError) Error() string {
	text := fmt.Sprintf("%v: killed", e.Run)
	if e.PID == 0 && e.Err == nil {
		text = fmt.Sprintf("%v: given up; its goroutine cannot be killed and was abandoned", e.Run)
	}
	if e.Cause != nil {
		text += ", because: " + e.Cause.Error()
	} else {
		text += " by Future.Kill"
	}
	if e.Err != nil {
		text += "; it gave up by itself: " + e.Err.Error()
	}
	return text
}

// Format implements fmt.Formatter: %+v prints the stack as well.
func (e *KilledError) Format(s fmt.State, verb rune) { formatWithStack(s, verb, e, e.Stack) }

// Is matches ErrKilled.
func (e *KilledError) Is(target error) bool { return target == ErrKilled }

// Unwrap returns the cause and the task's own error, those that there are.
func (e *KilledError) Unwrap() []error {
	var all []error
	for _, err := range []error{e.Cause, e.Err} {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// WorkerError: the worker process died while it ran the task, and not by our
// hand: it crashed, it exited (as by os.Exit in the task), or somebody else
// killed it. Or it broke the protocol, or was over its limits, and was killed for that;
// then Err says how. The task may have done some, all or none of its work. It matches
// ErrWorkerDied.
type WorkerError struct {
	Run
	Exit   reactor.Exit // exit code or signal, and what the process used
	Err    error        // a *worker.ProtocolError, *MemoryError, *CPUTimeError, *OutOfMemoryError, or nil
	Stderr string       // the last 16 KiB that the worker wrote to standard error
}

// Error implements error. The tail of standard error is cut to its last lines,
// and control characters in it are escaped.
func (e *WorkerError) Error() string {
	text := fmt.Sprintf("%v: the worker ", e.Run)
	if e.Exit.Kind == reactor.Signalled {
		text += "was "
	}
	text += e.Exit.String()
	switch {
	case e.Err != nil:
		text += ", because: " + e.Err.Error()
	case e.Exit.Kind == reactor.Exited:
		text += ": the task, or something that it called, ended the process, as os.Exit and an unrecovered panic in another goroutine do"
	case e.Exit.Kind == reactor.Signalled:
		text += ": it crashed, or somebody outside this pool killed it (an operator, another program)"
	}
	return text + excerpt(e.Stderr)
}

// Is matches ErrWorkerDied.
func (e *WorkerError) Is(target error) bool { return target == ErrWorkerDied }

// Unwrap returns what is known of why.
func (e *WorkerError) Unwrap() error { return e.Err }

// PanicError: the task panicked. The worker lives on.
type PanicError struct {
	Run
	Value string // the panic's value, as fmt.Sprint prints it
	Type  string // the Go type of the value
	Stack string // of the goroutine that panicked
}

// Error implements error; it does not print the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("%v: panic: %s", e.Run, e.Value) }

// Format implements fmt.Formatter: %+v prints the stack as well.
func (e *PanicError) Format(s fmt.State, verb rune) { formatWithStack(s, verb, e, e.Stack) }

// TaskError: the task returned an error, or ended in another way of its own
// while its worker lives on. Err is the error itself on a goroutine pool. From a
// process it is the error's text, and matches those of the errors that were
// known to both sides: the context errors, io.EOF, io.ErrUnexpectedEOF,
// fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, os.ErrClosed,
// os.ErrDeadlineExceeded, errors.ErrUnsupported, futures.ErrCancelled, the
// conditions of this package, and those given to RegisterError. A task sees the
// errors of the tasks that it has submitted itself as anybody does, with their
// types and fields; to its own caller they are errors of its own.
type TaskError struct {
	Run
	Err error
}

// Error implements error.
func (e *TaskError) Error() string { return fmt.Sprintf("%v: %v", e.Run, e.Err) }

// Unwrap returns the task's own error.
func (e *TaskError) Unwrap() error { return e.Err }

// CodecError: an argument or a result could not be encoded or decoded. Only this
// task is concerned; its worker lives on.
type CodecError struct {
	Run
	Op   string // "encode" or "decode"
	What string // "argument" or "result"
	Type string // the Go type
	Err  error
}

// Error implements error.
func (e *CodecError) Error() string {
	return fmt.Sprintf("%v: cannot %s its %s of type %s: %v", e.Run, e.Op, e.What, e.Type, e.Err)
}

// Unwrap returns the codec's error.
func (e *CodecError) Unwrap() error { return e.Err }

// QueueBytesError: the task's encoded argument is larger than all of
// Config.QueueBytes, so that it could never wait in the queue. The task was not
// accepted.
type QueueBytesError struct {
	Task  string // its registered name
	Size  int    // of the argument, in bytes
	Limit int    // Config.QueueBytes
}

// Error implements error.
func (e *QueueBytesError) Error() string {
	return fmt.Sprintf("task %q: its argument of %d bytes is larger than the whole queue, Config.QueueBytes, %d: raise that, or pass less",
		e.Task, e.Size, e.Limit)
}

// BrokenError: workers could not be started, again and again, and the pool has
// given up. It matches ErrBroken, and what the last failure matches.
type BrokenError struct {
	Err    error  // why, from the supervisor
	Stderr string // the end of what the last failed worker wrote to standard error
}

// Error implements error.
func (e *BrokenError) Error() string {
	return fmt.Sprintf("the pool is broken: %v%s", e.Err, excerpt(e.Stderr))
}

// Is matches ErrBroken.
func (e *BrokenError) Is(target error) bool { return target == ErrBroken }

// Unwrap returns the reason.
func (e *BrokenError) Unwrap() error { return e.Err }

// NestingError: a running task submitted a task to its own pool, and was refused:
// each worker that there may be would have a task that waits for its own ones,
// and none would be left to run them.
type NestingError struct {
	Task    string // that was refused
	Depth   int    // of its nesting: 1 if the one that submitted it came from outside
	Workers int    // Config.Workers
	Nested  int    // Config.NestedWorkers
}

// Error implements error.
func (e *NestingError) Error() string {
	return fmt.Sprintf("task %q was refused at depth %d: with it %d tasks would wait for tasks that they have submitted themselves, "+
		"and no worker would be left to run these (there are %d, and %d more for nested tasks): raise Config.NestedWorkers, or nest less deep",
		e.Task, e.Depth, e.Workers+e.Nested, e.Workers, e.Nested)
}

// ShutdownError: the context of a Shutdown ended before the pool did, and what
// was left was killed. It matches the context's error.
type ShutdownError struct {
	Cause     error // context.Cause
	Killed    int   // running tasks that were killed
	Cancelled int   // accepted tasks that had not begun
}

// Error implements error.
func (e *ShutdownError) Error() string {
	return fmt.Sprintf("the shutdown ran out of time (%v): tasks killed: %d, cancelled: %d", e.Cause, e.Killed, e.Cancelled)
}

// Unwrap returns the context's cause.
func (e *ShutdownError) Unwrap() error { return e.Cause }

// ProcessWaitError: a wait for a Process ended before the process did, which goes
// on. It matches the context's cause.
type ProcessWaitError struct {
	Name string
	PID  int
	Err  error
}

// Error implements error.
func (e *ProcessWaitError) Error() string {
	return fmt.Sprintf("wait for %s (pid %d): %v; the process goes on", e.Name, e.PID, e.Err)
}

// Unwrap returns the context's cause.
func (e *ProcessWaitError) Unwrap() error { return e.Err }

// ConfigError: a field of Config, or an option or argument of a call, cannot be.
type ConfigError struct {
	Field  string
	Reason string
}

// Error implements error.
func (e *ConfigError) Error() string { return fmt.Sprintf("pool: %s: %s", e.Field, e.Reason) }
