package pool

import (
	"fmt"
	"time"

	"github.com/stint-go/stint/actors"
)

// This file is about workers that do not begin what they were sent: because the
// machine is overloaded, because they were stopped by a signal, or because they
// are stuck outside of any task.

const (
	// slowAfter is how long a task may wait at a worker that has nothing else to
	// do, until an idle worker takes it over. It doubles each time that happens to
	// the task, so that workers which are all slow do not take it from each other
	// for ever.
	slowAfter = 10 * time.Millisecond
	// readTime is how long a byte of an argument may take on its way there.
	readTime = 50 * time.Nanosecond
	// stallLimit is how long a worker may begin nothing, until it is killed.
	stallLimit = 5 * time.Second
)

// errStalled is why a worker is killed that begins nothing.
var errStalled = fmt.Errorf("it has not begun what it was sent for %v: it was stopped by a signal, or is stuck", stallLimit)

// slowAt is when the worker counts as slow if it has not begun its first job, j;
// nil: if it has not passed what was taken back from it. Under the lock.
func (m *member) slowAt(j *Job) time.Time {
	patience := slowAfter
	if j != nil {
		patience <<= min(j.moved, 8)
	}
	return m.firstSince.Add(patience + m.reading())
}

// reading is how long the worker may need to read what it was sent.
func (m *member) reading() time.Duration { return time.Duration(m.unread) * readTime }

// waitOn deals with a worker whose first job, if it has any, has not begun: idle
// workers take it over, and if nothing changes the worker is killed. Under the
// lock.
func (m *member) waitOn(j *Job) {
	p := m.pool
	now, slowAt, stalledAt := time.Now(), m.slowAt(j), m.firstSince.Add(stallLimit+m.reading())
	switch {
	case now.Before(slowAt):
		m.alarm.setAt(slowAt)
	case now.Before(stalledAt):
		if !m.slow {
			m.slow = true
			p.slow++
		}
		m.alarm.setAt(stalledAt)
		if len(p.idle) > 0 {
			m.withdrawAll()
			p.dispatch()
		}
	default:
		m.stalled()
		return
	}
	m.expectLimits(m.sent.first)
}

// expectLimits has the alarm ring when a limit of what may begin at any moment is up at the
// earliest: of a job, or of one that stands behind it. Of the jobs before that one nothing
// need be heard first: what they have to tell may not be sent yet when it stops their worker.
// Under the lock.
func (m *member) expectLimits(j *Job) {
	now := time.Now()
	for ; j != nil; j = j.link.next {
		if limit := j.limits.soonest(); limit > 0 {
			m.alarm.setAt(now.Add(max(limit, time.Millisecond)))
		}
	}
}

// stalled gives a worker up that begins nothing. Under the lock.
func (m *member) stalled() {
	m.cutOff()
	m.pool.dispatch()
	m.process.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseProtocol, Err: errStalled})
}

// awake notes a sign of life. Under the lock.
func (m *member) awake() {
	if m.slow {
		m.slow = false
		m.pool.slow--
	}
}
