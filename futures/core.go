package futures

import (
	"context"
	"sync"
	"time"
)

// core is what all futures have in common, whatever their type.
//
// mu guards every field, and the value of the future that embeds the core. It is
// held for a few instructions at a time: never while a Control is asked, an
// inbox is filled or a callback runs. From the moment that state is settled,
// state, err and the value do not change, so whoever has seen it settled reads
// them without mu.
type core struct {
	mu        sync.Mutex
	state     State
	retries   uint32        // how often the work has begun again
	control   Control       // nil if there is none, and once settled
	err       error         // nil unless failed or cancelled
	done      chan struct{} // made for the first who asks; closed when settled
	observers *observer     // nil once settled
	extras    *extras       // nil until the first callback or report
}

// settledChannel is the done channel of each future that had settled before
// anybody asked for its channel.
var settledChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// base is the seal of Awaitable.
func (c *core) base() *core { return c }

// snapshot returns the state as it was last recorded, and the control.
func (c *core) snapshot() (State, Control) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state, c.control
}

// current is snapshot's state, brought up to date with what the control knows.
func (c *core) current() State {
	state, control := c.snapshot()
	if state == Pending && control != nil && control.Begun() {
		c.start()
		state, _ = c.snapshot()
	}
	return state
}

// start records that the work has begun, and reports whether it was pending.
func (c *core) start() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != Pending {
		return false
	}
	c.state = Running
	return true
}

// retry records that the work has begun once more.
func (c *core) retry() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.state.Settled() {
		c.retries++
	}
}

// attempts returns how often the work has begun, the first time included.
func (c *core) attempts() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return 1 + int(c.retries)
}

// settle moves a future that has not got beyond the state latest to its end, and
// reports whether it did. store, if not nil, keeps the value.
//
// The done channel is closed under mu, which never blocks, so that nobody sees
// the state settled and the channel open, or the reverse.
func (c *core) settle(latest, end State, err error, store func()) bool {
	c.mu.Lock()
	if c.state > latest {
		c.mu.Unlock()
		return false
	}
	if store != nil {
		store()
	}
	c.state, c.err = end, err
	if c.done != nil {
		close(c.done)
	}
	observers := c.observers
	c.control, c.observers = nil, nil
	c.mu.Unlock()

	observers.deliver()
	if e := c.extras; e != nil && len(e.callbacks.waiting) > 0 {
		go e.callbacks.run() // nobody adds to them any more
	}
	return true
}

// cancel withdraws the work if it is pending and reports whether the future is
// cancelled when it returns.
func (c *core) cancel() bool {
	state, control := c.snapshot()
	switch {
	case state != Pending:
	case control == nil:
		c.settle(Pending, Cancelled, &CancelledError{}, nil)
	case control.Cancel():
		// Nobody else will settle it, so not even a mistaken Start may stop us.
		c.settle(Running, Cancelled, &CancelledError{}, nil)
	}
	state, _ = c.snapshot()
	return state == Cancelled
}

// kill withdraws the work or has it killed, and reports whether it is cancelled or
// its kill is under way.
func (c *core) kill() bool {
	if c.cancel() {
		return true
	}
	_, control := c.snapshot()
	return control != nil && control.Kill()
}

// channel returns the channel that is closed when the future has settled, the
// same one each time.
func (c *core) channel() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		if c.state.Settled() {
			c.done = settledChannel
		} else {
			c.done = make(chan struct{})
		}
	}
	return c.done
}

// wait returns nil when the future has settled, and a *WaitError when ctx ended
// before that. A ctx that has ended already makes it a poll, without a channel.
func (c *core) wait(ctx context.Context) error {
	if state, _ := c.snapshot(); state.Settled() {
		return nil
	}
	var waited time.Duration
	if ctx.Err() == nil {
		from := time.Now()
		select {
		case <-c.channel():
			return nil
		case <-ctx.Done():
			waited = time.Since(from)
		}
	}
	state := c.current()
	if state.Settled() {
		return nil
	}
	return &WaitError{State: state, Waited: waited, Cause: context.Cause(ctx), err: ctx.Err()}
}
