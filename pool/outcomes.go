package pool

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/stint-go/stint/futures"
)

// outcomes counts and tells how tasks ended. A task is counted and told before
// its future settles, so that whoever has seen the result finds it in Stats.
type outcomes struct {
	events   *events
	contexts *contexts

	refused, succeeded, failed, timedOut, killed, lost, cancelled, retried, quarantined atomic.Uint64
}

// fill copies the counters.
func (o *outcomes) fill(s *Stats) {
	s.Refused, s.Succeeded, s.Failed = o.refused.Load(), o.succeeded.Load(), o.failed.Load()
	s.Retried, s.Quarantined = o.retried.Load(), o.quarantined.Load()
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
	o.tell(j, run, err)
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
	if _, quarantined := err.(*QuarantineError); quarantined {
		o.quarantined.Add(1)
	}
	var timeout *TimeoutError
	var silence *SilenceError
	switch {
	case errors.As(err, &timeout), errors.As(err, &silence):
		o.timedOut.Add(1)
	case errors.Is(err, ErrKilled):
		o.killed.Add(1)
	case errors.Is(err, ErrWorkerDied), errors.Is(err, ErrUnkillable):
		o.lost.Add(1)
	}
}

// again counts and tells that a job will be tried again after a delay.
func (o *outcomes) again(j *Job, delay time.Duration) {
	o.retried.Add(1)
	o.events.retried(j, delay)
}

// cancel counts a job that never began, and settles its future. Without the
// pool's lock.
func (o *outcomes) cancel(j *Job, cause error) {
	o.withdraw(j, cause)
	j.work.cancel(cause)
}

// withdraw counts a job that never began and whose future settles itself.
// Without the pool's lock.
func (o *outcomes) withdraw(j *Job, cause error) {
	o.contexts.leave(j)
	o.cancelled.Add(uint64(j.open()))
	o.tell(j, j.asRun(), &futures.CancelledError{Cause: cause})
}

// forget counts and tells n items of a chunk, from the one at, that were taken back
// and that nobody waits for any more.
func (o *outcomes) forget(j *Job, at, n int) {
	o.cancelled.Add(uint64(n))
	run := j.asRun()
	run.Item += at
	o.tellItems(j, run, n, &futures.CancelledError{})
}

// tell tells the outcome of what is open of a job.
func (o *outcomes) tell(j *Job, run Run, err error) { o.tellItems(j, run, j.open(), err) }

func (o *outcomes) tellItems(j *Job, run Run, n int, err error) {
	if o.events.heard.Load() {
		for range n {
			o.events.settled(j, run, err)
			run.Item++
		}
	}
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
