package reactor

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

// The operations that a WatchError names.
const (
	opWatch       = "watch"
	opSignal      = "signal"
	opSignalGroup = "signal the group of"
)

// Option changes one watch.
type Option func(*options)

type options struct{ group, left bool }

// WithGroup says that the process leads a process group of its own, as one does
// that was started with Setpgid or Setsid. When it has exited, what is left of
// its group is killed with SIGKILL before the leader is reaped: only until then
// the group's id is certain to mean this group. And [Watch.SignalGroup] works.
// What has left the group, by setsid(2) for instance, is not reached.
//
// Watch fails with [ErrNotLeader] when the process leads no group, with
// [ErrNotChild] when it is not a child of this program, for then its parent may
// reap it at any time, and with [errors.ErrUnsupported] on Windows and on other
// systems that cannot see an exit without reaping.
func WithGroup() Option { return func(o *options) { o.group = true } }

// WithStartGroup is [WithGroup] for whoever knows that the process was started as the
// leader of a group: it may have left that for another one since, and what it has
// left there is treated as its group. Watch does not fail with [ErrNotLeader].
func WithStartGroup() Option { return func(o *options) { o.group, o.left = true, true } }

// phase is where a watch is in its life.
type phase uint8

const (
	watching phase = iota
	over           // the exit was seen, and delivered unless stopped
	dropped        // let go without an exit, by Stop or Close
)

// Watch is the watch of one process. Its methods may be called from any
// goroutine, also from deliver, and do not block.
type Watch struct {
	reactor *Reactor
	token   uint64 // never used for another watch

	// mu guards the process, so that no signal can be sent between its reap and
	// the record of that; and what follows.
	mu      sync.Mutex
	process process
	phase   phase
	stopped bool
	deliver func(Exit) // until it is called or stopped
	reason  error      // of dropped
	noticed time.Time  // when the process was first seen to have ended
	exit    Exit       // of over
	polled  bool       // the back end does not have it
	retryAt time.Duration

	// The reactor's mu guards these.
	nextLook appointment
	interval time.Duration // between looks, when polled
}

func (w *Watch) appointment() *appointment { return &w.nextLook }

func (w *Watch) act() { w.reactor.look(w, false) }

// PID returns the process id. Another process may have it once this one has exited.
func (w *Watch) PID() int { return w.process.pid }

// Exited returns the exit once the reactor has seen it. The answer is at hand:
// it costs no system call.
func (w *Watch) Exited() (Exit, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.exit, w.phase == over
}

// Signal sends sig to the process, never to another one: through its pidfd where
// there is one, else by its pid while that is known to be its own. On Windows
// SIGKILL alone can be sent.
//
// The error is a [*WatchError]: [os.ErrProcessDone] after the exit, [ErrStopped]
// or [ErrClosed] when the watch let go of the process, or the system's.
func (w *Watch) Signal(sig syscall.Signal) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.refusal()
	if err == nil {
		err = w.process.signal(sig)
	}
	return w.wrap(opSignal, err)
}

// SignalGroup sends sig to the process group that the process leads, as long as
// the process itself was not reaped.
//
// The error is a [*WatchError]: as Signal's, [ErrNoGroup] for a watch made
// without [WithGroup], [errors.ErrUnsupported] on Windows.
func (w *Watch) SignalGroup(sig syscall.Signal) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.refusal()
	switch {
	case !w.process.group:
		err = ErrNoGroup
	case err == nil:
		err = w.process.signalGroup(sig)
	}
	return w.wrap(opSignalGroup, err)
}

// Look has the reactor look at the process soon, whatever the system has told of it. It
// is for who has other evidence of its end, such as that of a pipe, and hears nothing:
// should the system's word be lost, the exit is delivered nevertheless. A process that
// lives is not touched; the cost is a wake-up of the loop and a system call.
func (w *Watch) Look() { w.reactor.lookAfter(w, 0) }

// Stop ends the watch. True says that deliver was not called and never will be;
// false that it was called, is being called or is about to be.
//
// A child that was given to [Reactor.Watch] is still reaped when it exits, so
// that it leaves no zombie, and can be signalled until then. Any other process
// is let go of at once.
func (w *Watch) Stop() bool {
	w.mu.Lock()
	if w.phase == over {
		defer w.mu.Unlock()
		return w.stopped
	}
	w.stopped = true
	w.deliver = nil
	owned := w.process.owned
	w.mu.Unlock()
	if owned {
		w.reactor.lookAfter(w, 0) // it may have ended, and the news been lost
	} else {
		w.drop(ErrStopped)
		w.reactor.forget(w)
	}
	return true
}

// drop lets go of a process that has not been seen to exit.
func (w *Watch) drop(reason error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.phase == watching {
		w.phase, w.reason, w.deliver = dropped, reason, nil
		w.detach()
	}
}

// finish records the exit and returns it with the function to call, if any.
// mu is held.
func (w *Watch) finish(e Exit) (Exit, func(Exit)) {
	e.PID, e.Time = w.process.pid, w.noticed
	deliver := w.deliver
	w.phase, w.exit, w.deliver = over, e, nil
	w.detach()
	return e, deliver
}

// attach offers the process to the back end. With an error it is polled.
// mu is held.
func (w *Watch) attach() error {
	err := w.reactor.backend.add(w.token, &w.process)
	w.setPolled(err != nil)
	w.retryAt = 0
	if errors.Is(err, errExhausted) {
		w.retryAt = w.reactor.now() + retryInterval
	}
	return err
}

// reject has the process polled that the back end had; false: it needs not.
func (w *Watch) reject() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.phase != watching || w.polled {
		return false
	}
	w.reactor.backend.remove(&w.process)
	w.process.adopt()
	w.setPolled(true)
	return true
}

// detach undoes attach and lets go of the system's handle. mu is held.
func (w *Watch) detach() {
	if !w.polled {
		w.reactor.backend.remove(&w.process)
	}
	w.setPolled(false)
	w.process.release()
}

// setPolled keeps the reactor's count. mu is held.
func (w *Watch) setPolled(polled bool) {
	switch {
	case polled && !w.polled:
		w.reactor.polled.Add(1)
	case !polled && w.polled:
		w.reactor.polled.Add(-1)
	}
	w.polled = polled
}

// refusal says why the process cannot be signalled any more. mu is held.
func (w *Watch) refusal() error {
	switch w.phase {
	case over:
		return os.ErrProcessDone
	case dropped:
		return w.reason
	}
	return nil
}

func (w *Watch) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return &WatchError{w.process.pid, op, err}
}
