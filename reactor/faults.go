package reactor

import (
	"maps"
	"slices"
	"time"
)

// Faults has system calls fail and exits come late, for tests of what a program
// does then. Package pool/pooltest has an implementation. Its methods are called
// from any goroutine, some of them with locks held: they must not block, nor call
// the reactor.
type Faults interface {
	// Call is asked before a system call: pidfd_open, epoll_create1, epoll_ctl,
	// epoll_wait; and clone, by who starts a process that the reactor is to watch. An
	// error is what the call fails with, instead of being made. It should be one that
	// the call has (a syscall.Errno); epoll_wait is made again after EINTR, and
	// given up after any other.
	Call(name string) error
	// Exit is asked when the back end tells that a process has ended, for the time
	// after which the reactor learns of it; 0: at once, below 0: never, as if the news
	// had been lost. Nobody is asked about a process that is polled, as nothing tells of it.
	Exit(pid int) time.Duration
}

// fault is f.Call, if there is an f.
func fault(f Faults, call string) error {
	if f == nil {
		return nil
	}
	return f.Call(call)
}

// Fault returns what a system call by this name is to fail with by Config.Faults;
// nil, as ever without any: nothing. It is for who starts processes that the reactor
// is to watch.
func (r *Reactor) Fault(call string) error { return fault(r.faults, call) }

// hear deals with the news that a process may have ended.
func (r *Reactor) hear(w *Watch) {
	var delay time.Duration
	if r.faults != nil {
		delay = r.faults.Exit(w.PID())
	}
	switch {
	case delay == 0:
		r.look(w, true)
	case delay > 0:
		r.lookAfter(w, delay)
	}
}

// pollAll has all processes polled, since the back end, for a reason, tells of none
// any more.
func (r *Reactor) pollAll(why error) {
	r.mu.Lock()
	all := slices.Collect(maps.Values(r.watches))
	r.armed = disarmed // the new deadline is to be set in any case
	r.mu.Unlock()
	if r.inForce.Swap(uint32(BackendPoll)) != uint32(BackendPoll) {
		r.logger.Error("reactor: processes are polled from now on", "err", why)
	}
	for _, w := range all {
		if w.reject() {
			r.pollLater(w)
		}
	}
}
