package pool

import (
	"context"
	"sync"
	"time"
)

// lazyContext is the context of a task on a goroutine pool, which can be ended. Most
// tasks ask their context nothing, so what costs is made at the first question. It
// ends as [context.WithCancelCause] has it, and contexts that are derived from it are
// that one's children.
type lazyContext struct {
	trial *Job

	mu     sync.Mutex
	inner  context.Context // nil: nobody has asked
	cancel context.CancelCauseFunc
	over   bool
	cause  error // of the end
}

var _ context.Context = (*lazyContext)(nil)

// end ends the context; the first cause stands.
func (c *lazyContext) end(cause error) {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return
	}
	c.over, c.cause = true, cause
	cancel := c.cancel
	c.mu.Unlock()
	if cancel != nil {
		cancel(cause)
	}
}

// ended reports whether it has ended, without making anything.
func (c *lazyContext) ended() bool {
	c.mu.Lock()
	inner, over := c.inner, c.over
	c.mu.Unlock()
	if inner == nil {
		return over || c.trial.ctx.Err() != nil
	}
	return inner.Err() != nil
}

// made returns what does the work. It calls the caller's context, which may be of the
// caller's own making, without a lock.
func (c *lazyContext) made() context.Context {
	c.mu.Lock()
	inner := c.inner
	c.mu.Unlock()
	if inner != nil {
		return inner
	}
	made, cancel := context.WithCancelCause((*taskContext)(c.trial))
	c.mu.Lock()
	if inner = c.inner; inner != nil { // another goroutine of the task was quicker
		c.mu.Unlock()
		cancel(nil)
		return inner
	}
	c.inner, c.cancel = made, cancel
	over, cause := c.over, c.cause
	c.mu.Unlock()
	if over {
		cancel(cause)
	}
	return made
}

// Deadline implements context.Context.
func (c *lazyContext) Deadline() (time.Time, bool) { return c.trial.ctx.Deadline() }

// Done implements context.Context.
func (c *lazyContext) Done() <-chan struct{} { return c.made().Done() }

// Err implements context.Context.
func (c *lazyContext) Err() error { return c.made().Err() }

// Value has package context find what does the work, to end contexts that are derived
// from this one without a goroutine for each, and with its cause.
func (c *lazyContext) Value(key any) any {
	if value := (*taskContext)(c.trial).own(key); value != nil {
		return value
	}
	return c.made().Value(key)
}

// String keeps package fmt from reading the fields.
func (c *lazyContext) String() string { return "pool.lazyContext" }
