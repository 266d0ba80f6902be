package reactor

import (
	"errors"
	"fmt"
	"time"
)

const (
	firstPoll = 100 * time.Microsecond // the first interval of a polled process; it doubles …
	lastPoll  = 40 * time.Millisecond  // … up to this one

	// retryInterval is how often a process that was refused for want of
	// descriptors is offered to the back end again.
	retryInterval = time.Second

	// reapGrace is how long the loop waits for another program to reap its
	// child, when the kernel tells the status only then.
	reapGrace = 250 * time.Millisecond

	// disarmed stands for a deadline that has passed.
	disarmed time.Duration = -1
)

// run is the loop: it ends when the back end is closed.
func (r *Reactor) run() {
	defer close(r.done)
	var tokens []uint64
	var due []entry
	for {
		var err error
		tokens, err = r.backend.wait(tokens[:0])
		r.wakeups.Add(1)
		if errors.Is(err, errBackendLost) {
			r.pollAll(err)
		} else if err != nil {
			if !r.isClosed() {
				panic(fmt.Sprintf("reactor: the %v back end failed: %v", r.Stats().Backend, err))
			}
			return
		}
		for _, token := range tokens {
			if w := r.lookup(token); w != nil {
				r.hear(w)
			}
		}
		due = r.takeDue(due[:0])
		for _, e := range due {
			e.act()
		}
		clear(due)
		r.rearm()
	}
}

// look asks what became of w's process and does what follows from it. The back
// end has told of it, or its time has come.
func (r *Reactor) look(w *Watch, told bool) {
	w.mu.Lock()
	if w.phase != watching {
		w.mu.Unlock()
		return
	}
	var refused error
	if w.retryAt != 0 && r.now() >= w.retryAt {
		refused = w.attach()
	}
	exit, found := w.process.look(told)
	now := time.Now()
	if found != running && w.noticed.IsZero() {
		w.noticed = now
	}
	if found == unreaped && now.Sub(w.noticed) >= reapGrace {
		exit, found = unknown(ErrUnreaped), ended
	}
	var deliver func(Exit)
	if found == ended {
		exit, deliver = w.finish(exit)
	}
	polled := w.polled
	w.mu.Unlock()

	switch {
	case found == ended:
		r.forget(w)
		if deliver != nil {
			r.exits.Add(1)
			deliver(exit)
		}
	case found == unreaped:
		r.lookAfter(w, reapGrace)
	case polled:
		r.pollLater(w)
	}
	r.note(w, refused)
}

// now is the time of the schedule.
func (r *Reactor) now() time.Duration { return time.Since(r.start) }

func (r *Reactor) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

func (r *Reactor) lookup(token uint64) *Watch {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.watches[token]
}

// forget takes w out of the table and the schedule.
func (r *Reactor) forget(w *Watch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.watches, w.token)
	r.schedule.drop(w)
	r.arm()
}

// pollLater schedules the next look at a polled process. It falls on a multiple
// of the interval, so that processes of one interval share a wake-up.
func (r *Reactor) pollLater(w *Watch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.interval = min(max(2*w.interval, firstPoll), lastPoll)
	r.put(w, (r.now()/w.interval+1)*w.interval)
}

// lookAfter schedules a look at w.
func (r *Reactor) lookAfter(w *Watch, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(w, r.now()+d)
}

// put enters w into the schedule, unless it was forgotten meanwhile. mu is held.
func (r *Reactor) put(w *Watch, due time.Duration) {
	if r.watches[w.token] != w {
		return
	}
	r.schedule.put(w, due)
	r.arm()
}

// takeDue appends what has become due.
func (r *Reactor) takeDue(due []entry) []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if r.armed != 0 && r.armed <= now {
		r.armed = disarmed
	}
	return r.schedule.take(now, due)
}

func (r *Reactor) rearm() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.arm()
}

// arm makes the time of the earliest entry the back end's deadline. mu is held, so that the
// deadline is never an older one than the schedule's.
func (r *Reactor) arm() {
	next := r.schedule.next()
	if next == r.armed || r.closed {
		return
	}
	r.armed = next
	if next == 0 {
		r.backend.setDeadline(time.Time{})
		return
	}
	r.backend.setDeadline(r.start.Add(next))
}
