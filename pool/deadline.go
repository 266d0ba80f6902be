package pool

import (
	"time"

	"github.com/stint-go/stint/actors"
)

// expect sets the alarm for a job that is now the worker's first: it should
// begin at once, and end within its limit. Under the lock.
func (m *member) expect(j *Job) {
	m.firstSince = time.Now()
	at := m.slowAt(j)
	if j.limit > 0 {
		at = earlier(at, m.firstSince.Add(j.limit))
	}
	m.alarm.setAt(at)
}

// alarmRings looks after the job that should be running at the worker.
func (m *member) alarmRings() {
	m.pool.mu.Lock()
	defer m.pool.unlock()
	m.alarm.at = time.Time{}
	j := m.sent.first
	switch {
	case m.gone || m.condemned != nil:
	case j == nil:
		if m.slow {
			m.waitOn(nil)
		}
	case !m.begun(j):
		m.waitOn(j)
	default:
		m.checkLimit(m.current())
	}
}

// begun reports whether the worker has begun a job. When it did is read once: a
// hostile worker could put its deadline off for ever. Under the lock.
func (m *member) begun(j *Job) bool {
	if !j.begunAt.IsZero() {
		return true
	}
	at, begun := m.link.Begun(j.slot, j.id)
	if begun {
		j.begunAt = earlier(at, time.Now())
		j.attempt++
		m.pool.events.begun(j, j.begunAt, m.describe(j, 0))
	}
	return begun
}

// current returns the last job that the worker has begun, which is the one that
// runs: those before it are over, and their results on their way. The first has
// begun. Under the lock.
func (m *member) current() *Job {
	j := m.sent.first
	for next := j.link.next; next != nil && m.begun(next); next = j.link.next {
		j = next
	}
	return j
}

// checkLimit ends a running job that is over its limit, or sets the alarm for
// it. Under the lock.
func (m *member) checkLimit(j *Job) {
	if j.limit == 0 {
		return
	}
	if due := j.begunAt.Add(j.limit); time.Now().Before(due) {
		m.alarm.setAt(due)
		return
	}
	m.end(j, sentence{verdict{timeout: true}, m.pool.ladder(), actors.Cause{Kind: actors.CauseDeadline}})
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
