package pool

import "time"

// alarm is one worker's clock: one timer for all of its tasks, which is set
// anew only if it would ring too late. So a million short tasks with a limit
// cost no timer each. Under the pool's lock.
type alarm struct {
	timer *time.Timer
	at    time.Time // zero: not set
	ring  func()
}

// setAt has the alarm ring at that time at the latest.
func (a *alarm) setAt(at time.Time) {
	if !a.at.IsZero() && !at.Before(a.at) {
		return
	}
	a.at = at
	if a.timer == nil {
		a.timer = time.AfterFunc(time.Until(at), a.ring)
	} else {
		a.timer.Reset(time.Until(at))
	}
}

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
	}
}
