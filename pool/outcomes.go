package pool

import (
	"errors"
	"sync/atomic"

	"github.com/stint-go/stint/futures"
)

// outcomes counts and tells how tasks ended. A task is counted and told before
// its future settles, so that whoever has seen the result finds it in Stats.
type outcomes struct {
	events   *events
	contexts *contexts

	refused, succeeded, failed, timedOut, killed, lost, cancelled atomic.Uint64
}

// fill copies the counters.
func (o *outcomes) fill(s *Stats) {
	s.Refused, s.Succeeded, s.Failed = o.refused.Load(), o.succeeded.Load(), o.failed.Load()
	s.TimedOut, s.Killed, s.Lost, s.Cancelled = o.timedOut.Load(), o.killed.Load(), o.lost.Load(), o.cancelled.Load()
}

// settle counts a job that has ended, by the type of its error, and settles its
// future; nil settles it with the result that was kept. Without the pool's lock:
// it wakes whoever waits, and lets go of the caller's context.
func (o *outcomes) settle(j *Job, run Run, err error) {
	o.contexts.leave(j)
	j.endBrood()
	for range j.open() {
		o.count(err)
	}
	o.events.settled(j, run, err)
	if err == nil {
		j.work.succeed()
	} else {
		j.work.fail(err)
	}
}

// count counts a job that was not cancelled.
func (o *outcomes) count(err error) {
	if err == nil {
		o.succeeded.Add(1)
		return
	}
	o.failed.Add(1)
	var timeout *TimeoutError
	var silence *SilenceError
	switch {
	case errors.As(err, &timeout), errors.As(err, &silence):
		o.timedOut.Add(1)
	case errors.Is(err, ErrKilled):
		o.killed.Add(1)
	case errors.Is(err, ErrWorkerDied):
		o.lost.Add(1)
	}
}

// withdraw counts a job that never began. Whoever withdrew it releases it and
// settles its future, which the pool's end does not wait for: so this is under
// the pool's lock.
func (o *outcomes) withdraw(j *Job, cause error) {
	o.cancelled.Add(uint64(j.open()))
	o.events.settled(j, j.asRun(), &futures.CancelledError{Cause: cause})
}

// cancel settles the future of a job that was withdrawn. Without the pool's lock.
func (o *outcomes) cancel(j *Job, cause error) {
	o.contexts.leave(j)
	j.work.cancel(cause)
}

// refuse counts a job that was not accepted, and settles its future: cancelled
// if its context had ended, otherwise failed.
func (o *outcomes) refuse(j *Job, err error) {
	o.contexts.leave(j)
	o.refused.Add(1)
	if j.ctx.Err() != nil {
		j.work.cancel(err)
	} else {
		j.work.fail(err)
	}
}
