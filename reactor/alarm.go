package reactor

import "time"

// Alarm calls a function at a time, as a timer of [time.AfterFunc] does, and more
// precisely: Go's own timers are late by up to a millisecond in a program that
// has nothing else to do, an alarm on Linux by some 0.05 ms. Its methods may be
// called from any goroutine and do not block; each costs a lock and at most one
// system call.
type Alarm struct {
	reactor *Reactor
	ring    func()
	place   appointment
}

// NewAlarm makes an alarm, which is not set. ring is called in a goroutine of its
// own.
func (r *Reactor) NewAlarm(ring func()) *Alarm {
	return &Alarm{reactor: r, ring: ring, place: appointment{position: unscheduled}}
}

// Set has the alarm ring once, at that time or at once if it has passed, instead
// of when it was set to before. After [Reactor.Close] no alarm rings.
func (a *Alarm) Set(at time.Time) {
	r := a.reactor
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.schedule.put(a, max(at.Sub(r.start), 1))
	r.arm()
}

// Stop has the alarm not ring, if it has not begun to.
func (a *Alarm) Stop() {
	r := a.reactor
	r.mu.Lock()
	defer r.mu.Unlock()
	r.schedule.drop(a)
	r.arm()
}

func (a *Alarm) appointment() *appointment { return &a.place }

func (a *Alarm) act() { go a.ring() }
