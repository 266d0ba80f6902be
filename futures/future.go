package futures

import "context"

// Future is the read side of work that leaves a T. All its methods may be called
// from any goroutine. It comes from a pool, [New], [FromValue] or
// [FromError], and must not be copied.
type Future[T any] struct {
	core
	value T
}

// Awaitable is any *[Future], whatever its type, so that futures of several types
// can be waited for together. No other type implements it.
type Awaitable interface {
	// Done is [Future.Done].
	Done() <-chan struct{}
	// State is [Future.State].
	State() State
	// Err is [Future.Err].
	Err(ctx context.Context) error

	base() *core
}

// Result waits until the future has settled and returns its value or its error:
// the work's own, or a [*CancelledError] if it was cancelled. The value is zero
// unless the error is nil.
//
// If ctx ends before that, the error is a [*WaitError] that unwraps to
// [context.Cause] of ctx, and the work goes on. A future that has settled gives
// its result under any ctx.
func (f *Future[T]) Result(ctx context.Context) (T, error) {
	if err := f.wait(ctx); err != nil {
		var zero T
		return zero, err
	}
	return f.value, f.err
}

// Err waits as [Future.Result] does and returns its error only, which is nil if
// the work succeeded.
func (f *Future[T]) Err(ctx context.Context) error {
	if err := f.wait(ctx); err != nil {
		return err
	}
	return f.err
}

// Done returns a channel that is closed when the future has settled. It is the
// same channel each time. Many futures are cheaper to wait for with [AsCompleted]
// and [Wait], which need no channels.
func (f *Future[T]) Done() <-chan struct{} { return f.channel() }

// State returns where the future stands now. A pending future asks its
// [Control] whether the work has begun meanwhile.
func (f *Future[T]) State() State { return f.current() }

// Attempts returns how many attempts the work has had, the one under way or to
// come included: 1, unless its owner has tried again. It keeps its value when the
// future settles.
func (f *Future[T]) Attempts() int { return f.attempts() }

// Cancel withdraws the work if it has not begun, and reports whether the future
// is cancelled: true then means that the work never ran and never will, or that
// it had been cancelled before. Work that runs is left alone, and Cancel returns
// false; so it does when the future has settled otherwise. See [Future.Kill].
func (f *Future[T]) Cancel() bool { return f.cancel() }

// Kill ends the work whatever its state: pending work is cancelled, and work that
// runs is killed by force where its owner can do that. It reports whether the
// future is cancelled or its kill is under way. It does not wait: the future
// settles when the owner has seen that the work is gone.
func (f *Future[T]) Kill() bool { return f.kill() }
