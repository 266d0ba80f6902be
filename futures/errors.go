package futures

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrCancelled is matched by the error of every cancelled future.
var ErrCancelled = errors.New("futures: cancelled")

// CancelledError is the error of a future that was cancelled. It matches
// [ErrCancelled] and [context.Canceled], and unwraps to its cause.
type CancelledError struct {
	Cause error // why, if whoever cancelled it said so; else nil
}

// Error tells the cause, if there is one.
func (e *CancelledError) Error() string {
	if e.Cause == nil {
		return ErrCancelled.Error()
	}
	return fmt.Sprintf("%v: %v", ErrCancelled, e.Cause)
}

// Is matches [ErrCancelled] and [context.Canceled].
func (e *CancelledError) Is(target error) bool {
	return target == ErrCancelled || target == context.Canceled
}

// Unwrap returns the cause.
func (e *CancelledError) Unwrap() error { return e.Cause }

// WaitError says that the ctx of a wait ended before the future had settled. The
// work goes on. It unwraps to the ctx's cause and matches the ctx's own error too,
// [context.Canceled] or [context.DeadlineExceeded].
//
// Work that ran into a deadline of its own may match the same errors, so ask for
// a *WaitError to know that it was the wait that ended.
type WaitError struct {
	State  State         // of the future when the wait ended: Pending or Running
	Waited time.Duration // how long the wait was; 0 if the ctx had ended before it
	Cause  error         // context.Cause of the ctx

	err error // Err of the ctx
}

// Error tells how long the wait was, the future's state and the cause.
func (e *WaitError) Error() string {
	if e.Waited == 0 {
		return fmt.Sprintf("futures: did not wait for a future that is %v: %v", e.State, e.Cause)
	}
	return fmt.Sprintf("futures: stopped waiting after %v for a future that is %v: %v", e.Waited, e.State, e.Cause)
}

// Is matches the error of the ctx.
func (e *WaitError) Is(target error) bool { return target == e.err }

// Unwrap returns the cause.
func (e *WaitError) Unwrap() error { return e.Cause }

// UnfinishedError says that the ctx of an [AsCompleted] or a [Wait] ended before
// the futures had settled. Their work goes on. It unwraps to the ctx's cause and
// matches the ctx's own error too, [context.Canceled] or
// [context.DeadlineExceeded].
type UnfinishedError struct {
	Unfinished int   // futures that had not settled
	Total      int   // futures waited for, duplicates counted once
	Cause      error // context.Cause of the ctx

	err error // Err of the ctx
}

func newUnfinishedError(ctx context.Context, unfinished, total int) *UnfinishedError {
	return &UnfinishedError{Unfinished: unfinished, Total: total, Cause: context.Cause(ctx), err: ctx.Err()}
}

// Error tells how many of how many, and the cause.
func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("%d (of %d) futures unfinished: %v", e.Unfinished, e.Total, e.Cause)
}

// Is matches the error of the ctx.
func (e *UnfinishedError) Is(target error) bool { return target == e.err }

// Unwrap returns the cause.
func (e *UnfinishedError) Unwrap() error { return e.Cause }
