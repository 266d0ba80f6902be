package pool

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

// throttle bounds how many jobs are given to workers in a second. The jobs wait
// in the queue, and where they go next is decided when they may. Under the pool's
// lock.
type throttle struct {
	limiter *rate.Limiter // nil: no bound
	alarm   alarm         // for when one may be given, set while a worker waits for that
}

func newThrottle(perSecond float64, b bell) throttle {
	if perSecond == 0 {
		return throttle{}
	}
	burst := 1 + int(min(perSecond/100, math.MaxInt32))
	return throttle{limiter: rate.NewLimiter(rate.Limit(perSecond), burst), alarm: alarm{bell: b}}
}

// allow reports whether a job may be given to a worker now, and counts it. If
// not, the alarm rings when one may.
func (t *throttle) allow() bool {
	if t.limiter == nil {
		return true
	}
	now := time.Now()
	token := t.limiter.ReserveN(now, 1)
	wait := token.DelayFrom(now)
	if wait == 0 {
		return true
	}
	token.CancelAt(now)
	t.alarm.setAt(now.Add(wait))
	return false
}

// allows reports whether so many jobs may be given to workers now.
func (t *throttle) allows(n int) bool {
	return t.limiter == nil || t.limiter.Tokens() >= float64(n)
}

// rings is told that the alarm has rung.
func (t *throttle) rings() { t.alarm.at = time.Time{} }

// stop silences the alarm: the pool is done.
func (t *throttle) stop() {
	if t.limiter != nil {
		t.alarm.Stop()
	}
}
