package pool

import (
	"context"

	"github.com/stint-go/stint/actors"
)

// This file is the end of tasks that do not end by themselves: by their
// context, by Future.Cancel and Future.Kill, and, from deadline.go, by their
// deadline.
//
// Who ends a running task takes back first what stands behind it at its worker.
// If one of those has begun, the task is over, and there is nothing to kill. If
// not, nothing else can begin there, and the kill meets this task alone.

// ladder is how a task whose context has ended is ended.
func (m *member) ladder() actors.Ladder {
	if m.pool.config.Grace == NoGrace {
		return actors.Ladder{}
	}
	return actors.Ladder{Ask: true, Grace: m.pool.config.Grace}
}

// sentence is how a job that has begun is to be ended, and why.
type sentence struct {
	verdict verdict
	ladder  actors.Ladder
	cause   actors.Cause
}

// end has the worker killed for a job that has begun; false if the job is over.
// The worker gets no other work meanwhile. Posting the kill does not block: it is
// a message to the process's actor, and at most one signal. Under the lock.
func (m *member) end(j *Job, s sentence) bool {
	if m.sent.first != j {
		j.sentence = &s // those before it are over, and their results on their way
		return true
	}
	if !m.withdrawRest() {
		return false
	}
	if m.condemned == nil {
		m.condemned, j.verdict = j, &s.verdict // a first verdict stands
	}
	m.pool.removeIdle(m)
	m.pool.dispatch() // what was taken back
	m.process.Kill(s.ladder, s.cause)
	return true
}

// carryOut ends the worker's first job if that was decided when it was not yet
// known to be the first. Under the lock.
func (m *member) carryOut() {
	if j := m.sent.first; j != nil && j.sentence != nil {
		s := *j.sentence
		j.sentence = nil
		m.end(j, s)
	}
}

// contextEnded ends a job whose caller's context has ended.
func (p *ProcessPool) contextEnded(j *Job) {
	cause := context.Cause(j.ctx)
	p.mu.Lock()
	withdrawn := p.takeBack(j)
	if !withdrawn && j.state == jobSent {
		m := j.member
		m.end(j, sentence{verdict{cause: cause}, m.ladder(), actors.Cause{Kind: actors.CauseKill, Err: cause}})
	}
	p.mu.Unlock()
	if withdrawn {
		j.work.cancel(cause)
	}
}

// takeBack removes a job that has not begun from wherever it is. It is then
// done, and the caller settles it. Under the lock.
func (p *ProcessPool) takeBack(j *Job) bool {
	switch j.state {
	case jobQueued:
		p.leaveQueueOnce(j)
		j.unlink()
	case jobSent:
		m := j.member
		if !m.withdraw(j) {
			return false
		}
		p.refill(m)
	default:
		return false
	}
	j.withdrawn = true
	p.finished(j)
	p.outcomes.cancelled.Add(1)
	j.release()
	return true
}

// withdraw implements owner, for Future.Cancel: the future settles itself.
func (p *ProcessPool) withdraw(j *Job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.takeBack(j) || j.withdrawn
}

// begun implements owner, for Future.State.
func (p *ProcessPool) begun(j *Job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j.state != jobSent {
		return false
	}
	_, begun := j.member.link.Begun(j.slot, j.id)
	return begun
}

// kill implements owner, for Future.Kill: the worker is killed at once.
func (p *ProcessPool) kill(j *Job) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j.state != jobSent {
		return false
	}
	return j.member.end(j, sentence{cause: actors.Cause{Kind: actors.CauseKill}})
}
