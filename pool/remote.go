package pool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/runtime/worker"
)

// wellKnown are the errors that an error from another process can match, by
// name. Both sides are the same program, so both have the same list.
var wellKnown = struct {
	sync.RWMutex
	names  []string
	errors []error
}{
	names: []string{
		"context.Canceled", "context.DeadlineExceeded", "io.EOF", "io.ErrUnexpectedEOF", "fs.ErrNotExist", "fs.ErrExist",
		"fs.ErrPermission", "os.ErrClosed", "os.ErrDeadlineExceeded", "errors.ErrUnsupported",
		"pool.ErrClosed", "pool.ErrBroken", "pool.ErrKilled", "pool.ErrShutdown", "pool.ErrWorkerDied", "pool.ErrGoexit",
		"pool.ErrUnknownTask", "pool.ErrUnknownState", "pool.ErrQueueFull", "pool.ErrNoMain", "pool.ErrNoTask", "pool.ErrNotOwner", "pool.ErrUnkillable",
		"pool.ErrReleased", "futures.ErrCancelled",
	},
	errors: []error{
		context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, fs.ErrNotExist, fs.ErrExist,
		fs.ErrPermission, os.ErrClosed, os.ErrDeadlineExceeded, errors.ErrUnsupported,
		ErrClosed, ErrBroken, ErrKilled, ErrShutdown, ErrWorkerDied, ErrGoexit,
		ErrUnknownTask, ErrUnknownState, ErrQueueFull, ErrNoMain, ErrNoTask, ErrNotOwner, ErrUnkillable,
		ErrReleased, futures.ErrCancelled,
	},
}

// RegisterError makes errors.Is find err in the error of a task that ran in
// another process, where it is known by its text, and returns it. Call it as
// NewTask, for a package variable:
//
//	var ErrNegative = pool.RegisterError(errors.New("negative number"))
func RegisterError(err error) error {
	if err == nil {
		panic("pool.RegisterError: the error is nil")
	}
	name := "registered: " + err.Error()
	wellKnown.Lock()
	defer wellKnown.Unlock()
	if slices.Contains(wellKnown.names, name) {
		panic(fmt.Sprintf("pool.RegisterError: two errors have the text %q, by which they are known in the other process", err.Error()))
	}
	wellKnown.names = append(wellKnown.names, name)
	wellKnown.errors = append(wellKnown.errors, err)
	return err
}

// describeError prepares a task's error for its way to the host. A typed nil or
// an Error method that panics is described as well as may be.
func describeError(err error) *worker.Failure {
	f := &worker.Failure{Kind: worker.FailureError, Type: fmt.Sprintf("%T", err)}
	func() {
		defer func() {
			if value := recover(); value != nil {
				f.Message = fmt.Sprintf("%s (its Error method panicked: %v)", f.Type, value)
			}
		}()
		f.Message = err.Error()
		wellKnown.RLock()
		defer wellKnown.RUnlock()
		for i, known := range wellKnown.errors {
			if errors.Is(err, known) {
				f.Is = append(f.Is, wellKnown.names[i])
			}
		}
	}()
	return f
}

// remoteError is the error of a task that ran in another process.
type remoteError struct {
	text  string
	known []error
}

func (e *remoteError) Error() string   { return e.text }
func (e *remoteError) Unwrap() []error { return e.known }

// failureError makes the future's error of what a worker told.
func failureError(run Run, f *worker.Failure, j *Job) error {
	in, out := j.work.types()
	switch f.Kind {
	case worker.FailurePanic:
		return newPanicError(run, f)
	case worker.FailureGoexit:
		return &TaskError{Run: run, Err: ErrGoexit}
	case worker.FailureUnknown:
		return &TaskError{Run: run, Err: ErrUnknownTask}
	case worker.FailureArgument:
		return &CodecError{Run: run, Op: "decode", What: "argument", Type: in, Err: errors.New(printable(f.Message))}
	case worker.FailureResult:
		return &CodecError{Run: run, Op: "encode", What: "result", Type: out, Err: newRemoteError(f)}
	}
	return &TaskError{Run: run, Err: newRemoteError(f)}
}

func newPanicError(run Run, f *worker.Failure) error {
	return &PanicError{Run: run, Value: printable(f.Message), Type: printable(f.Type), Stack: printable(f.Stack)}
}

// newRemoteError makes the error that a task or an initializer has returned.
func newRemoteError(f *worker.Failure) error {
	return &remoteError{text: printable(f.Message), known: knownErrors(f.Is)}
}

// knownErrors returns the well-known errors of these names, those that there are.
func knownErrors(names []string) (known []error) {
	wellKnown.RLock()
	defer wellKnown.RUnlock()
	for _, name := range names {
		if i := slices.Index(wellKnown.names, name); i >= 0 {
			known = append(known, wellKnown.errors[i])
		}
	}
	return known
}
