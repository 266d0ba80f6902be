package pool

import (
	"context"
	"sync"
)

// contexts watches the contexts of a pool's jobs. Mostly many jobs have the same
// one, or one that ends with it, and so it is watched once for all of them: a
// million jobs under one context cost it one entry. Its methods are called
// without the pool's lock, since a context may be of the caller's own making.
type contexts struct {
	over func(*Job) // is called, without a lock, for each job whose context has ended

	mu      sync.Mutex
	watches map[<-chan struct{}]*contextWatch
	idle    *contextWatch // has no job left; the next one may well have the same context
	closed  bool
}

// contextWatch is the watch of all contexts that have one Done channel. By
// contexts.mu.
type contextWatch struct {
	done    <-chan struct{}
	jobs    []*Job
	unwatch func() bool // nil: AfterFunc has not returned yet
	dropped bool
}

// enter watches the context of a job, until leave.
func (c *contexts) enter(j *Job) {
	done := j.ctx.Done()
	if done == nil {
		return
	}
	c.mu.Lock()
	w := c.watches[done]
	begin := w == nil
	if begin {
		w = &contextWatch{done: done}
		if c.watches == nil {
			c.watches = make(map[<-chan struct{}]*contextWatch)
		}
		c.watches[done] = w
	}
	if c.idle == w {
		c.idle = nil
	}
	j.watched, j.watch, j.watchPlace = true, w, int32(len(w.jobs))
	w.jobs = append(w.jobs, j)
	c.mu.Unlock()
	if begin {
		c.begin(w, j.ctx)
	}
}

// join watches the context of a job that was split from another, which is watched
// or has none that ends; false: it has ended. It asks the context nothing, and
// may be called under the pool's lock.
func (c *contexts) join(j, from *Job) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := from.watch
	if w == nil {
		return !from.watched
	}
	j.watched, j.watch, j.watchPlace = true, w, int32(len(w.jobs))
	w.jobs = append(w.jobs, j)
	return true
}

// begin has the context tell of its end.
func (c *contexts) begin(w *contextWatch, ctx context.Context) {
	unwatch := context.AfterFunc(ctx, func() { c.end(w) })
	c.mu.Lock()
	w.unwatch = unwatch
	dropped := w.dropped
	c.mu.Unlock()
	if dropped {
		unwatch()
	}
}

// leave lets go of a job's context, if it is watched.
func (c *contexts) leave(j *Job) {
	if !j.watched {
		return // and never was: that was settled before the job was accepted
	}
	c.mu.Lock()
	var unwatch func() bool
	if w := j.watch; w != nil {
		last := len(w.jobs) - 1
		other := w.jobs[last]
		w.jobs[j.watchPlace], other.watchPlace = other, j.watchPlace
		w.jobs[last] = nil
		w.jobs, j.watch = w.jobs[:last], nil
		if last == 0 {
			unwatch = c.rest(w)
		}
	}
	c.mu.Unlock()
	if unwatch != nil {
		unwatch()
	}
}

// rest keeps a watch that has no job left, and drops the one that was kept
// before. It returns what the caller must call without the lock, or nil. Under
// the lock.
func (c *contexts) rest(w *contextWatch) (unwatch func() bool) {
	w.jobs = nil
	former := c.idle
	c.idle = w
	if c.closed {
		former, c.idle = w, nil
	}
	return c.drop(former)
}

// drop ends a watch; nil is none. It returns what the caller must call without
// the lock, or nil. Under the lock.
func (c *contexts) drop(w *contextWatch) (unwatch func() bool) {
	if w == nil || w.dropped {
		return nil
	}
	w.dropped = true
	delete(c.watches, w.done)
	return w.unwatch
}

// end is called when a watched context has ended.
func (c *contexts) end(w *contextWatch) {
	c.mu.Lock()
	c.drop(w)
	if c.idle == w {
		c.idle = nil
	}
	jobs := w.jobs
	w.jobs = nil
	for _, j := range jobs {
		j.watch = nil
	}
	c.mu.Unlock()
	for _, j := range jobs {
		c.over(j)
	}
}

// close lets go of what is kept for later jobs. There are none.
func (c *contexts) close() {
	c.mu.Lock()
	c.closed = true
	unwatch := c.drop(c.idle)
	c.idle = nil
	c.mu.Unlock()
	if unwatch != nil {
		unwatch()
	}
}
