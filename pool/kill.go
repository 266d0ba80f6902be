package pool

import (
	"context"
	"errors"

	"github.com/stint-go/stint/actors"
)

// This file is the end of tasks that do not end by themselves: by their
// context, by Future.Cancel and Future.Kill, and, from deadline.go, by their
// deadline.
//
// Who ends a running task takes back first what stands behind it at its worker.
// If one of those has begun, the task is over, its result is on its way, and
// there is nothing to kill. If not, nothing else can begin there, and the kill
// meets this task alone.

// sentence is how a job that has begun is to be ended, and why.
type sentence struct {
	verdict verdict
	ladder  actors.Ladder
	cause   actors.Cause
}

// ladder is how a task whose context has ended is ended.
func (p *ProcessPool) ladder() actors.Ladder {
	if p.config.Grace == NoGrace {
		return actors.Ladder{}
	}
	return actors.Ladder{Ask: true, Grace: p.config.Grace}
}

// end has the worker killed for a job that has begun; false if the job is over.
// The worker gets no other work meanwhile. A first verdict stands; a harsher
// ladder takes the place of a milder one. Posting the kill does not block: it is
// a message to the process's actor, and at most one signal. Under the lock.
func (m *member) end(j *Job, s sentence) bool {
	m.withdrawAll()
	if m.sent.last != j {
		m.pool.refill(m)
		m.pool.dispatch()
		return false
	}
	if j.chunk != nil && !m.endItem(j, s.verdict.bound != boundNone) {
		m.await(j)
		m.pool.dispatch()
		return false
	}
	if m.condemned == nil {
		m.condemn(j, &s.verdict)
	}
	if s.ladder == (actors.Ladder{}) {
		m.pool.retire(m) // for good: nothing can spare it
	}
	m.pool.dispatch() // what was taken back
	m.process.Kill(s.ladder, s.cause)
	return true
}

// condemn notes that the worker is being ended for a job. Under the lock.
func (m *member) condemn(j *Job, v *verdict) {
	m.condemned, j.verdict, m.inquiry = j, v, inquiry{}
}

// contextEnded ends a job whose caller's context has ended.
func (p *ProcessPool) contextEnded(j *Job) {
	cause := context.Cause(j.ctx)
	p.mu.Lock()
	taken := p.takeBack(j)
	switch {
	case taken:
	case j.state == jobJudged:
		j.retry.bar(cause)
	case j.state == jobSent:
		j.member.end(j, sentence{verdict{cause: cause}, p.ladder(), actors.Cause{Kind: actors.CauseKill, Err: cause}})
	}
	p.unlock()
	if taken {
		p.retries.drop(j, cause)
	}
}

// takeBack removes a job that does not run from wherever it is; it may have run
// before. It is then for the caller to drop. Under the lock.
func (p *ProcessPool) takeBack(j *Job) bool {
	switch j.state {
	case jobQueued:
		p.admission.leave(j)
		p.queue.remove(j)
	case jobSent:
		m := j.member
		if !m.withdraw(j) {
			m.reclaim(j)
			return false
		}
		p.refill(m)
	case jobBetween:
		p.retries.end(j)
	default:
		return false
	}
	j.state, j.withdrawn = jobDone, !j.retry.hasBegun()
	return true
}

// queueTimeRings cancels what has waited for too long to be begun.
func (p *ProcessPool) queueTimeRings() {
	p.mu.Lock()
	all := p.waiting.expire(p.takeBack)
	p.unlock()
	for _, l := range all {
		p.retries.drop(l.job, l.err)
	}
}

// withdraw implements owner, for Future.Cancel: the future settles itself.
func (p *ProcessPool) withdraw(j *Job) bool {
	p.mu.Lock()
	taken := !j.retry.hasBegun() && p.takeBack(j)
	withdrawn := j.withdrawn
	p.unlock()
	if taken {
		p.retries.withdraw(j)
	}
	return withdrawn
}

// begun implements owner, for Future.State.
func (p *ProcessPool) begun(j *Job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return j.attempt > 0 || j.state == jobSent && j.member.begun(j)
}

// kill implements owner, for Future.Kill: the worker is killed at once. Between
// two attempts there is none.
func (p *ProcessPool) kill(j *Job) (killed bool) {
	p.mu.Lock()
	taken := p.takeBack(j)
	switch {
	case taken:
		killed = true
	case j.state == jobJudged:
		j.retry.bar(ErrKilled)
		killed = true
	case j.state == jobSent:
		killed = j.member.end(j, sentence{cause: actors.Cause{Kind: actors.CauseKill}})
	}
	p.unlock()
	if taken {
		p.retries.drop(j, ErrKilled)
	}
	return killed
}

// Ask implements actors.Owner: the first rung of the ladder.
func (m *member) Ask(cause actors.Cause) {
	if cause.Kind == actors.CauseShutdown || cause.Kind == actors.CauseRecycled {
		m.askToLeave()
	} else {
		m.askToEnd()
	}
}

func (m *member) askToLeave() {
	m.pool.mu.Lock()
	m.asked = true
	m.tally.leave()
	m.pool.mu.Unlock()
	m.link.Quit(m.pool.config.StopTimeout)
}

// askToEnd ends the context of the condemned task, and asks where the task is.
func (m *member) askToEnd() {
	m.pool.mu.Lock()
	j := m.condemned
	if j == nil {
		m.pool.mu.Unlock()
		return
	}
	id, v := j.id, *j.verdict
	m.asked = false
	m.inquire()
	m.pool.mu.Unlock()
	if v.bound != boundRunning { // at a deadline the task's own clock has done it
		m.link.Cancel(id, errors.Is(v.cause, context.DeadlineExceeded))
	}
	m.link.AskStack(id)
}

// Spared implements actors.Owner: the condemned task was over in time, and the
// worker goes on.
func (m *member) Spared() {
	p := m.pool
	p.mu.Lock()
	defer p.unlock()
	m.pardoning = false
	p.refill(m)
	p.dispatch()
}
