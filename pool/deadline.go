package pool

import (
	"errors"
	"time"

	"github.com/stint-go/stint/actors"
)

const (
	// slowAfter is how long a task may wait at a worker that has nothing else to
	// do, until an idle worker takes it over.
	slowAfter = 10 * time.Millisecond
	// readTime is how long a byte of an argument may take on its way there.
	readTime = 50 * time.Nanosecond
	// stallLimit is how long a worker may begin nothing, until it is killed.
	stallLimit = 5 * time.Second
)

// errStalled is why a worker is killed that begins nothing.
var errStalled = errors.New("it has not begun the task that it was sent for 5s: it was stopped by a signal, or is stuck")

// expect sets the alarm for a job that is now the worker's first: it should
// begin at once, and end within its limit. Under the lock.
func (m *member) expect(j *Job) {
	m.firstSince = time.Now()
	patience := m.patience(slowAfter)
	if j.limit > 0 {
		patience = min(patience, j.limit)
	}
	m.alarm.setAt(m.firstSince.Add(patience))
}

// patience is a limit plus what it takes to read what was sent. Without it two
// workers would take a large task from each other for ever. Under the lock.
func (m *member) patience(limit time.Duration) time.Duration {
	return limit + time.Duration(m.unread)*readTime
}

// alarmRings looks after the worker's first job: has it begun, is it over its
// limit?
func (m *member) alarmRings() {
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	m.alarm.at = time.Time{}
	j := m.sent.first
	switch {
	case m.gone || m.condemned != nil:
	case j != nil:
		m.look(j)
	case m.slow:
		m.waitOn()
	}
}

// look looks after a job that should run. Under the lock.
func (m *member) look(j *Job) {
	at, begun := m.link.Begun(j.slot, j.id)
	if !begun {
		m.waitOn()
		return
	}
	if j.limit == 0 {
		return
	}
	if left := j.limit - time.Since(at); left > 0 {
		m.alarm.set(left)
		return
	}
	m.end(j, sentence{verdict{timeout: true}, m.ladder(), actors.Cause{Kind: actors.CauseDeadline}})
}

// waitOn deals with a worker that does not begin what it was sent: idle workers
// take it over, and if nothing changes the worker is killed. Under the lock.
func (m *member) waitOn() {
	p := m.pool
	switch waited := time.Since(m.firstSince); {
	case waited < m.patience(slowAfter):
		m.alarm.setAt(m.firstSince.Add(m.patience(slowAfter)))
		return
	case waited >= m.patience(stallLimit):
		m.process.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseProtocol, Err: errStalled})
		return
	}
	if !m.slow {
		m.slow = true
		p.slow++
	}
	m.alarm.setAt(m.firstSince.Add(m.patience(stallLimit)))
	if len(p.idle) > 0 {
		m.withdrawAll()
		p.dispatch()
	}
}

// awake notes a sign of life. Under the lock.
func (m *member) awake() {
	if m.slow {
		m.slow = false
		m.pool.slow--
	}
}
