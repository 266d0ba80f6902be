package worker

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// taskContext is the context of one task. It ends at the task's deadline, when
// the host says so, or with the task, whichever comes first, and the error tells
// which: a deadline that the host announces is context.DeadlineExceeded here and
// in every context derived from this one, which context.WithCancelCause cannot
// give.
//
// Most tasks are over before anybody asks their context anything. So what costs,
// the channel and the timer, is made at the first question.
type taskContext struct {
	values    context.Context // has what Value finds
	id        uint64
	name      string  // of the task
	server    *server // takes its signs of life and reports
	slot      uint16
	goroutine int         // on which the task runs
	ofChunk   bool        // it is of an item of one
	replied   bool        // its result is written; by the server's writing
	deadline  time.Time   // zero: none
	asked     atomic.Bool // somebody waits, or may wait, for its end, or may have kept it

	mu    sync.Mutex
	done  chan struct{}        // made when it is first asked for
	timer *time.Timer          // set when anything is first asked
	after map[*func()]struct{} // to be called at the end
	err   error                // not nil: it has ended

	regions []*Region // that end with the task; under mu
	over    bool      // they have; under mu
}

var _ context.Context = (*taskContext)(nil)

func newTaskContext(values context.Context, id uint64, begun time.Time, limit time.Duration) *taskContext {
	c := &taskContext{values: values, id: id}
	if limit > 0 {
		c.deadline = begun.Add(limit)
	}
	return c
}

// end ends the context, once.
func (c *taskContext) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked(err)
}

// endLocked is end under the lock.
func (c *taskContext) endLocked(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	if c.timer != nil {
		c.timer.Stop()
	}
	if c.done != nil {
		close(c.done)
	}
	for f := range c.after {
		go (*f)() // as context.AfterFunc has it; it ends a context derived from this one
	}
	c.after = nil
}

// expect sees to it that the deadline ends the context. Under the lock.
func (c *taskContext) expect() {
	if c.timer != nil || c.err != nil || c.deadline.IsZero() {
		return
	}
	if left := time.Until(c.deadline); left > 0 {
		c.timer = time.AfterFunc(left, func() { c.end(context.DeadlineExceeded) })
	} else {
		c.endLocked(context.DeadlineExceeded)
	}
}

// Deadline implements context.Context.
func (c *taskContext) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }

// Done implements context.Context.
func (c *taskContext) Done() <-chan struct{} {
	c.asked.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expect()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// Err implements context.Context.
func (c *taskContext) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expect()
	return c.err
}

// taskKey is the key under which a task's context finds itself, behind those
// that are derived from it.
type taskKey struct{}

// Value implements context.Context. It finds what Handlers.Initialize has
// returned.
func (c *taskContext) Value(key any) any {
	if key == (taskKey{}) {
		c.asked.Store(true)
		return c
	}
	return c.values.Value(key)
}

// Live notes a sign of life of the task whose context ctx is, or is derived from.
// It is lost if ctx is of no task, or of one that is over or was told to end. It
// costs some 100 ns, and no message: the host reads it from the memory that it
// shares with the worker.
func Live(ctx context.Context) {
	if c, ok := ctx.Value(taskKey{}).(*taskContext); ok {
		c.live()
	}
}

// TaskName returns the name of the task whose context ctx is, or is derived from;
// false if it is of none.
func TaskName(ctx context.Context) (string, bool) {
	c, ok := ctx.Value(taskKey{}).(*taskContext)
	if !ok {
		return "", false
	}
	return c.name, true
}

func (c *taskContext) live() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.server.claims.live(time.Now())
	}
}

// AfterFunc has f called in a goroutine of its own once the context has ended.
// Package context looks for this method, and needs no goroutine for each context
// that is derived from one that has it.
func (c *taskContext) AfterFunc(f func()) (stop func() bool) {
	c.asked.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.expect()
	if c.err != nil {
		go f()
		return func() bool { return false }
	}
	if c.after == nil {
		c.after = make(map[*func()]struct{})
	}
	c.after[&f] = struct{}{}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waiting := c.after[&f]
		delete(c.after, &f)
		return waiting
	}
}

// String keeps package fmt from reading the fields.
func (c *taskContext) String() string { return "worker.taskContext" }
