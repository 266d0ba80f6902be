package pool

import (
	"time"

	"github.com/stint-go/stint/reactor"
)

// alarm is one worker's clock: one alarm of the reactor for all of its tasks,
// which is set anew only if it would ring too late. So a million short tasks with
// a limit cost no timer each. Under the pool's lock.
type alarm struct {
	*reactor.Alarm
	at time.Time // zero: not set
}

// setAt has the alarm ring at that time at the latest.
func (a *alarm) setAt(at time.Time) {
	if !a.at.IsZero() && !at.Before(a.at) {
		return
	}
	a.at = at
	a.Set(at)
}
