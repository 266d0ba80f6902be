package pool

import (
	"math"
	"time"
)

// alarm is one clock for many tasks: it is set anew only if it would ring too
// late. So a million short tasks with a limit cost no timer each. Under the
// pool's lock.
type alarm struct {
	bell
	at time.Time // zero: not set
}

// bell is what rings: an alarm of the reactor, or a timer where there is no
// reactor.
type bell interface {
	Set(at time.Time)
	Stop()
}

// setAt has the alarm ring at that time at the latest.
func (a *alarm) setAt(at time.Time) {
	if !a.at.IsZero() && !at.Before(a.at) {
		return
	}
	a.at = at
	a.Set(at)
}

// timer is Go's own as a bell, up to a millisecond late.
type timer struct{ *time.Timer }

func newTimer(ring func()) timer {
	t := time.AfterFunc(math.MaxInt64, ring)
	t.Stop()
	return timer{t}
}

func (t timer) Set(at time.Time) { t.Reset(time.Until(at)) }
func (t timer) Stop()            { t.Timer.Stop() }
