package pool

import (
	"context"
	"time"

	"github.com/stint-go/stint/actors"
)

// This file is the end of a goroutine pool and of its tasks: by shutdown, by their
// context, by Future.Cancel and Future.Kill, and by their deadline.

// Close implements Pool. It must not be called from within a task of the pool,
// which would wait for itself; there, use Shutdown with the task's context, or
// close in a goroutine.
func (p *GoroutinePool) Close() error { return p.Shutdown(context.Background(), Drain) }

// Shutdown implements Pool. It does not wait for abandoned goroutines.
func (p *GoroutinePool) Shutdown(ctx context.Context, mode ShutdownMode) error {
	defer p.contexts.close()
	return shutdown(ctx, mode, p.done, p.wind)
}

// wind begins a shutdown, or makes one that has begun harsher. It does not wait.
func (p *GoroutinePool) wind(mode ShutdownMode) (killed, cancelled int) {
	p.mu.Lock()
	p.phase = max(p.phase, phaseOf(mode))
	p.admission.close()
	var pending, hopeless []*Job
	if mode >= CancelPending {
		p.retries.barred = ErrShutdown
		pending = p.takeBackAll()
	}
	if mode == Kill {
		for p.running.length > 0 {
			j := p.running.first
			p.abandon(j, &verdict{cause: ErrShutdown})
			hopeless = append(hopeless, j)
		}
	}
	p.wake.Broadcast()
	p.checkDone()
	p.mu.Unlock()
	if mode == Kill {
		p.end(ErrShutdown)
	}
	for _, j := range pending {
		p.retries.drop(j, ErrShutdown)
	}
	for _, j := range hopeless {
		p.failAbandoned(j)
	}
	return len(hopeless), len(pending)
}

// takeBackAll takes back every job that does not run. Under the lock.
func (p *GoroutinePool) takeBackAll() (jobs []*Job) {
	for p.queue.length > 0 {
		j := p.queue.next()
		p.takeBack(j)
		jobs = append(jobs, j)
	}
	return append(jobs, p.retries.endAll()...)
}

// checkDone ends a shutdown when nobody works any more. Under the lock.
func (p *GoroutinePool) checkDone() {
	if p.phase != phaseOpen && p.live == 0 && p.runners == 0 {
		p.waiting.alarm.Stop()
		p.throttle.stop()
		if p.delay != nil {
			p.delay.Stop()
		}
		p.events.end()
		closeOnce(p.done)
	}
}

// takeBack removes a job that does not run; it may have run before. It is then
// for the caller to drop. Under the lock.
func (p *GoroutinePool) takeBack(j *Job) bool {
	switch j.state {
	case jobQueued:
		p.queue.remove(j)
		p.admission.leave(j)
	case jobBetween:
		p.retries.end(j)
	default:
		return false
	}
	j.state, j.withdrawn = jobDone, !j.retry.hasBegun()
	return true
}

// abandon gives the runner of a running job up; the caller has failAbandoned
// judge the job. Under the lock.
func (p *GoroutinePool) abandon(j *Job, v *verdict) {
	j.unlink()
	j.state, j.verdict = jobJudged, v
	j.runner.lane = p.queue.serves(nil, j.runner.lane)
	p.attemptOver(j)
	j.runner.account(j)
	j.runner.running.Store(nil) // what it tells from now on is told to nobody
	p.discard(j.runner, v.actorsCause(j.runner.describe(j, 0), j.limits))
}

// discard gives a runner up. Under the lock.
func (p *GoroutinePool) discard(r *runner, cause actors.Cause) {
	r.abandoned = true
	p.insights.end(r.tally)
	p.abandoned++
	p.dismiss(r)
	p.events.exited(r.event(), actors.Report{Cause: cause})
	p.provide()
	p.checkDone()
}

// failAbandoned ends the context of a job whose runner was given up, and settles
// it or has it tried again.
func (p *GoroutinePool) failAbandoned(j *Job) {
	r := j.runner
	j.verdict.stack = r.stackOf(j.verdict) // before the task is told to end
	r.context.end(j.verdict.cause)
	run := r.describe(j, time.Since(r.begun))
	err := j.verdict.error(run, j.limits, nil)
	if j.retry == nil {
		p.retries.finish(j, run, err)
	} else {
		p.retries.attempted(j, run, err, true)
	}
}

// contextEnded ends a job whose caller's context has ended.
func (p *GoroutinePool) contextEnded(j *Job) {
	cause := context.Cause(j.ctx)
	p.stop(j, cause, &verdict{cause: cause})
}

// queueTimeRings cancels what has waited for too long to be begun.
func (p *GoroutinePool) queueTimeRings() {
	p.mu.Lock()
	all := p.waiting.expire(p.takeBack)
	p.mu.Unlock()
	for _, l := range all {
		p.retries.drop(l.job, l.err)
	}
}

// withdraw implements owner, for Future.Cancel: the future settles itself.
func (p *GoroutinePool) withdraw(j *Job) bool {
	p.mu.Lock()
	taken := !j.retry.hasBegun() && p.takeBack(j)
	withdrawn := j.withdrawn
	p.mu.Unlock()
	if taken {
		p.retries.withdraw(j)
	}
	return withdrawn
}

// begun implements owner: the future is told when its task begins.
func (p *GoroutinePool) begun(*Job) bool { return false }

// kill implements owner, for Future.Kill: the task's context ends, and its
// goroutine is given up.
func (p *GoroutinePool) kill(j *Job) bool { return p.stop(j, ErrKilled, &verdict{}) }

// stop ends a job in whatever state it is: for a cause if it does not run, with a
// verdict if it does; false if it is over.
func (p *GoroutinePool) stop(j *Job, cause error, v *verdict) bool {
	p.mu.Lock()
	taken, running := p.takeBack(j), j.state == jobSent
	judged := j.state == jobJudged && j.retry != nil
	switch {
	case running:
		p.abandon(j, v)
	case judged:
		j.retry.bar(cause)
	}
	p.mu.Unlock()
	if running {
		p.failAbandoned(j)
	}
	if taken {
		p.retries.drop(j, cause)
	}
	return taken || running || judged
}

// expire gives a runner up whose attempt has had its time, unless that is over.
func (p *GoroutinePool) expire(r *runner, trial *Job, v *verdict) {
	p.mu.Lock()
	j := r.job
	running := r.running.Load() == trial && !r.abandoned
	if running {
		p.abandon(j, v)
	}
	p.mu.Unlock()
	if running {
		p.failAbandoned(j)
	}
}
