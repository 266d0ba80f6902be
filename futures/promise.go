package futures

// Promise is the write side of a future. It is one pointer, meant to be copied.
//
// Of all the calls that try to settle a promise, from whatever goroutines, the
// first wins; the others return false and change nothing. None of the methods
// blocks or runs code of the future's readers, so they may be called under locks
// and from loops. A Promise comes from [New]; the zero Promise panics when used.
type Promise[T any] struct {
	future *Future[T]
}

// New returns a pending future and the promise that settles it.
//
// The future asks control to cancel and to kill its work. A nil control stands
// for work that nobody can stop: Cancel then settles a pending future by itself,
// the owner learns of it when [Promise.Start] returns false, and Kill does what
// Cancel does.
func New[T any](control Control) (Promise[T], *Future[T]) {
	f := &Future[T]{core: core{control: control}}
	return Promise[T]{f}, f
}

// Future returns the read side.
func (p Promise[T]) Future() *Future[T] { return p.future }

// Start says that the work has begun, and reports whether the future was pending
// until then. False means that it has settled, or that it is running already:
// somebody called Start before, or [Future.State] learnt it from the control.
func (p Promise[T]) Start() bool { return p.future.start() }

// Retry says that the work has failed and has begun once more; see
// [Future.Attempts]. On a settled future it changes nothing.
func (p Promise[T]) Retry() { p.future.retry() }

// Succeed settles the future with v, unless it has settled already.
func (p Promise[T]) Succeed(v T) bool {
	f := p.future
	return f.settle(Running, Succeeded, nil, func() { f.value = v })
}

// Fail settles the future with err, unless it has settled already. The readers
// get err itself, which need not have a message: a nil pointer in an error is an
// error like any other. Fail panics if err is nil, since work that left no error
// has not failed.
func (p Promise[T]) Fail(err error) bool {
	if err == nil {
		panic("futures: Promise.Fail with a nil error")
	}
	return p.future.settle(Running, Failed, err, nil)
}

// Cancel settles the future as cancelled, unless it has settled already. It is
// how the owner withdraws work, whether or not it has begun; readers use
// [Future.Cancel]. The future's error is a [*CancelledError] that holds cause,
// which may be nil.
func (p Promise[T]) Cancel(cause error) bool {
	return p.future.settle(Running, Cancelled, &CancelledError{Cause: cause}, nil)
}

// FromValue returns a future that has succeeded with v.
func FromValue[T any](v T) *Future[T] {
	return &Future[T]{core: core{state: Succeeded}, value: v}
}

// FromError returns a future that has failed with err. It panics if err is nil.
func FromError[T any](err error) *Future[T] {
	if err == nil {
		panic("futures: FromError with a nil error")
	}
	return &Future[T]{core: core{state: Failed, err: err}}
}
