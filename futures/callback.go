package futures

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
)

// callbacks are those that one future has yet to run, in the order added.
type callbacks struct {
	waiting []func()
}

// OnDone has fn called once, with f, when f has settled. It panics if fn is nil.
//
// Callbacks that were added before f settled run one after another in the order
// added, on a goroutine that f starts when it settles and that ends with the last
// of them. So one that blocks delays those behind it, and nobody else.
//
// On a future that has settled, fn runs at once and OnDone returns when fn has.
// It does not queue behind earlier callbacks, which may still be running.
//
// A callback that panics or calls [runtime.Goexit] ends alone: that is logged
// with its stack by [slog.Default], and those behind it still run. To hold to
// that for a late callback too, OnDone runs it on a goroutine of its own and
// waits for it.
func (f *Future[T]) OnDone(fn func(*Future[T])) {
	if fn == nil {
		panic("futures: Future.OnDone with a nil function")
	}
	f.onDone(func() { fn(f) })
}

func (c *core) onDone(fn func()) {
	if c.enqueue(fn) {
		return
	}
	var late sync.WaitGroup
	late.Go(func() { contain(fn) })
	late.Wait()
}

// enqueue reports whether fn will be called when the future settles; false means
// that it has settled.
func (c *core) enqueue(fn func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Settled() {
		return false
	}
	q := &c.ownExtras().callbacks
	q.waiting = append(q.waiting, fn)
	return true
}

// run calls what is waiting and lets go of each as it is called. Its goroutine is
// the only one that has q. A callback that exits it gets it a successor.
func (q *callbacks) run() {
	defer func() {
		if len(q.waiting) > 0 {
			go q.run()
		}
	}()
	for len(q.waiting) > 0 {
		fn := q.waiting[0]
		q.waiting[0], q.waiting = nil, q.waiting[1:]
		contain(fn)
	}
}

// contain calls fn, recovers its panic, and logs that or a Goexit, which it
// cannot stop from ending the goroutine.
func contain(fn func()) {
	returned := false
	defer func() {
		reason := recover()
		switch {
		case returned:
		case reason != nil:
			slog.Error("futures: a callback panicked", "panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
		default:
			slog.Error("futures: a callback called runtime.Goexit", "stack", string(debug.Stack()))
		}
	}()
	fn()
	returned = true
}
