package actors

import (
	"runtime"
	"time"

	"golang.org/x/time/rate"
)

// A supervisor starts StartBurst processes at once, and beyond that StartRate a
// second for each processor that Go uses. A process of a Go program takes some
// milliseconds of a processor until it is ready: so a thousand that end together are
// replaced as fast as the machine can, and its processors are left time for others.
const (
	StartRate  = 200
	StartBurst = 64
)

// startRate holds a supervisor's starts to that rate.
type startRate struct {
	limiter *rate.Limiter
	pause   *time.Timer // runs until the next start may be; nil: now
}

func newStartRate() startRate {
	return startRate{limiter: rate.NewLimiter(rate.Limit(StartRate*runtime.GOMAXPROCS(0)), StartBurst)}
}

// allow counts a start, or has over called when the next one may be.
func (r *startRate) allow(over func()) bool {
	if r.pause != nil {
		return false
	}
	now := time.Now()
	reservation := r.limiter.ReserveN(now, 1)
	delay := reservation.DelayFrom(now)
	if delay == 0 {
		return true
	}
	reservation.CancelAt(now)
	r.pause = time.AfterFunc(delay, over)
	return false
}

// goOn ends the pause, which is over or needed no more.
func (r *startRate) goOn() {
	if r.pause != nil {
		r.pause.Stop()
		r.pause = nil
	}
}
