package pool

import (
	"errors"
	"sync/atomic"
)

// outcomes counts how tasks ended. A task is counted before its future settles,
// so that whoever has seen the result finds it in Stats.
type outcomes struct {
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
func (o *outcomes) settle(j *Job, err error) {
	j.release()
	if err == nil {
		o.succeeded.Add(1)
		j.work.succeed()
		return
	}
	o.failed.Add(1)
	var timeout *TimeoutError
	switch {
	case errors.As(err, &timeout):
		o.timedOut.Add(1)
	case errors.Is(err, ErrKilled):
		o.killed.Add(1)
	case errors.Is(err, ErrWorkerDied):
		o.lost.Add(1)
	}
	j.work.fail(err)
}

// cancel counts a job that never began, and settles its future. Without the
// pool's lock.
func (o *outcomes) cancel(j *Job, cause error) {
	o.withdraw(j)
	j.work.cancel(cause)
}

// withdraw counts a job that never began and whose future settles itself.
func (o *outcomes) withdraw(j *Job) {
	j.release()
	o.cancelled.Add(1)
}

// refuse counts a job that was not accepted, and settles its future: cancelled
// if its context had ended, otherwise failed.
func (o *outcomes) refuse(j *Job, err error) {
	j.release()
	o.refused.Add(1)
	if j.ctx.Err() != nil {
		j.work.cancel(err)
	} else {
		j.work.fail(err)
	}
}
