package pool

import (
	"time"
)

// retries is what happens in a pool between the attempts of its jobs. A job is
// done when no other attempt follows; until then the pool waits for it, as for
// all that it has accepted.
//
//	sent ──over──► judged ──failed──► between ──delay──► queued
//	                  └── no other attempt ──┴──► done
type retries struct {
	pool       retrier
	outcomes   *outcomes
	quarantine int // Config.Quarantine

	// What follows is under the pool's lock.
	between jobList // the policy is asked, or the delay runs
	barred  error   // why no job is tried again; nil: they are
}

// retrier is a pool as its retries know it.
type retrier interface {
	lock()
	unlock()
	// enqueue has a job wait for a worker once more. Under the lock.
	enqueue(*Job)
	// attemptOver notes that a run of a job has ended. Under the lock.
	attemptOver(*Job)
	// markDone makes a job done, for which the pool need not wait any longer.
	// Under the lock.
	markDone(*Job)
}

// begun notes that an attempt has begun. Under the lock.
func (r *retries) begun(j *Job, at time.Time, run Run) {
	if j.attempt++; j.attempt > 1 {
		j.work.retried()
	}
	r.outcomes.events.begun(j, at, run)
}

// over notes that an attempt has ended: with it the job, unless that may be
// tried again, which attempted decides. Under the lock.
func (r *retries) over(j *Job) {
	if j.retry == nil {
		r.pool.markDone(j)
	} else {
		j.state = jobJudged
		r.pool.attemptOver(j)
	}
}

// attempted settles a job whose attempt is over, or has it tried again. fatal
// says that the worker ended with the attempt. Without the lock.
func (r *retries) attempted(j *Job, run Run, err error, fatal bool) {
	if j.retry == nil {
		r.outcomes.settle(j, run, err)
		return
	}
	j.endBrood()
	r.pool.lock()
	err, again := r.judge(j, Attempt{run, err}, fatal)
	if again {
		j.state = jobBetween
		r.between.pushBack(j)
	}
	r.pool.unlock()
	if again {
		go j.retry.ask(func(delay time.Duration, again bool, reason error) { r.decided(j, delay, again, reason) })
	} else {
		r.finish(j, run, err)
	}
}

// judge takes an attempt in. It returns the job's outcome, or that it may be
// tried again if its policy agrees. Under the lock.
func (r *retries) judge(j *Job, a Attempt, fatal bool) (outcome error, again bool) {
	if a.Err == nil {
		return nil, false
	}
	t := j.retry
	t.job = j.accepted()
	t.history = append(t.history, a)
	if !fatal {
		j.deaths = 0
	} else {
		j.deaths++
	}
	_, killed := a.Err.(*KilledError)
	switch {
	case killed:
	case int(j.deaths) >= r.quarantine:
		return j.quarantined(a.Run, a.Err), false
	case len(t.history) >= t.policy.Attempts:
	case t.barred != nil:
		return t.outcome(t.barred), false
	case r.barred != nil:
		return t.outcome(r.barred), false
	default:
		return nil, true
	}
	return t.outcome(nil), false
}

// decided is told what a job's policy has decided: to try again after the delay,
// or not to, for a reason if there is more to say.
func (r *retries) decided(j *Job, delay time.Duration, again bool, reason error) {
	r.pool.lock()
	decides := j.state == jobBetween // else it was ended meanwhile
	switch {
	case !decides:
	case again:
		j.retry.wake = time.AfterFunc(delay, func() { r.resume(j) })
		r.outcomes.again(j, delay)
	default:
		r.end(j)
	}
	r.pool.unlock()
	if decides && !again {
		r.finish(j, j.retry.last().Run, j.retry.outcome(reason))
	}
}

// resume has a job wait for a worker again, unless it was ended meanwhile.
func (r *retries) resume(j *Job) {
	r.pool.lock()
	defer r.pool.unlock()
	if j.state == jobBetween {
		j.unlink()
		j.verdict, j.brood = nil, nil
		r.pool.enqueue(j)
	}
}

// end takes out a job that is between two attempts, for the caller to settle.
// Under the lock.
func (r *retries) end(j *Job) {
	j.unlink()
	j.state = jobDone
	if j.retry.wake != nil {
		j.retry.wake.Stop()
	}
}

// endAll takes out all that are between two attempts, for the caller to settle.
// Under the lock.
func (r *retries) endAll() (jobs []*Job) {
	for r.between.length > 0 {
		j := r.between.first
		r.end(j)
		jobs = append(jobs, j)
	}
	return jobs
}

// finish settles a job that nobody else can settle, and then lets the pool end.
// Without the lock.
func (r *retries) finish(j *Job, run Run, err error) {
	r.outcomes.settle(j, run, err)
	r.dismiss(j)
}

// drop settles a job that was taken back: it is cancelled, or fails if it has
// begun before. Without the lock.
func (r *retries) drop(j *Job, cause error) {
	if j.retry.hasBegun() {
		r.finish(j, j.retry.last().Run, j.retry.outcome(cause))
		return
	}
	r.outcomes.cancel(j, cause)
	r.dismiss(j)
}

// withdraw takes leave of a job that was taken back and never began, and whose
// future settles itself. Without the lock.
func (r *retries) withdraw(j *Job) {
	r.outcomes.withdraw(j, nil)
	r.dismiss(j)
}

// fail settles a job that was taken out of the queue, and that no worker is left
// to run. Without the lock.
func (r *retries) fail(j *Job, cause error) {
	if j.retry.hasBegun() {
		r.drop(j, cause)
	} else {
		r.finish(j, j.asRun(), cause)
	}
}

// dismiss lets the pool end. Without the lock.
func (r *retries) dismiss(j *Job) {
	r.pool.lock()
	r.pool.markDone(j)
	r.pool.unlock()
}
