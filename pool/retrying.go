package pool

import (
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// retrying is what a job that may be tried again remembers of its attempts.
type retrying struct {
	policy *Retry
	delays backoff.BackOff // made after the first attempt

	// What follows changes under the pool's lock.
	job     uint64      // the job's number at its first attempt
	history []Attempt   // those that are over; all have failed
	wake    *time.Timer // ends the wait for the next
	barred  error       // why there will be no other, though one is over or may be soon
}

// accepted returns the job's number of its first attempt, by which it is told.
func (j *Job) accepted() uint64 {
	if j.retry.hasBegun() {
		return j.retry.job
	}
	return j.number
}

// hasBegun reports whether an attempt is over.
func (r *retrying) hasBegun() bool { return r != nil && len(r.history) > 0 }

// last returns the attempt that is over.
func (r *retrying) last() Attempt { return r.history[len(r.history)-1] }

// bar rules other attempts out. The first cause stands. Under the pool's lock.
func (r *retrying) bar(cause error) {
	if r.barred == nil {
		r.barred = cause
	}
}

// ask asks the policy whether and when the task is to be tried again. That may
// be code of the caller's: it may block, panic, or end its goroutine, and is told
// as a reason against it.
func (r *retrying) ask(decided func(delay time.Duration, again bool, reason error)) {
	var delay time.Duration
	again, reason := false, errPolicyLeft
	defer func() {
		if value := recover(); value != nil {
			again, reason = false, fmt.Errorf("the retry policy panicked: %v", value)
		}
		decided(delay, again, reason)
	}()
	delay, again = r.consult()
	reason = nil
}

var errPolicyLeft = errors.New("the retry policy called runtime.Goexit")

// consult is ask without its care.
func (r *retrying) consult() (delay time.Duration, again bool) {
	if !r.policy.wants(r.last().Err) {
		return 0, false
	}
	if r.delays == nil {
		r.delays = r.policy.delays()
	}
	delay = r.delays.NextBackOff()
	return delay, delay != backoff.Stop
}

// outcome returns the future's error when no attempt follows, for a cause if
// there is one.
func (r *retrying) outcome(cause error) error {
	if len(r.history) == 1 && cause == nil {
		return r.last().Err
	}
	return &RetryError{Run: r.last().Run, Attempts: r.history, Cause: cause}
}

// quarantined returns the future's error when the job has ended too many
// workers, the last one with err.
func (j *Job) quarantined(run Run, err error) error {
	e := &QuarantineError{Run: run, Workers: int(j.deaths), Argument: len(j.argument), Err: err}
	if j.retry != nil {
		e.Attempts = j.retry.history
	}
	return e
}
