package pool

import (
	"time"

	"github.com/stint-go/stint/actors"
)

// expect sets the alarm for a job that is now the worker's first: it should
// begin at once, and end or give a sign of life within its limits. Of one that is gone
// nothing is expected. Under the lock.
func (m *member) expect(j *Job) {
	if m.gone {
		return
	}
	m.firstSince = m.time()
	m.measureFrom(j)
	at := m.slowAt(j)
	if limit := j.limits.soonest(); limit > 0 {
		at = earlier(at, m.firstSince.Add(limit))
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
	case m.gone:
	case m.condemned != nil:
		m.checkAnswer()
	case j == nil:
		if m.slow {
			m.waitOn(nil)
		}
	case !m.begun(j):
		m.waitOn(j)
	default:
		j := m.current()
		m.follow(j)
		if !m.rests(j) {
			m.checkLimits(j)
		}
		m.pool.relieve()
	}
}

// time is the present time, or when the results came that are being taken in: to
// read a clock for each would cost more than all else. Under the lock.
func (m *member) time() time.Time {
	if m.taking.IsZero() {
		return time.Now()
	}
	return m.taking
}

// begun reports whether the worker has begun a job. When it did is read once: a
// hostile worker could put its deadline off for ever. Under the lock.
func (m *member) begun(j *Job) bool {
	if j.begunAt != 0 {
		return true
	}
	at, begun := m.link.Begun(j.slot, j.id)
	if begun {
		j.begunAt = instantOf(earlier(at, m.time()))
		m.pool.waiting.remove(j)
		m.pool.retries.begun(j, j.begunAt.time(), m.describe(j, 0))
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

// checkLimits ends a running job that has reached one of its limits, or sets the alarm
// for the next one that it, or one behind it, may reach. Under the lock.
func (m *member) checkLimits(j *Job) {
	due, bound := m.due(j)
	switch {
	case bound == boundNone:
	case time.Now().Before(due):
		m.alarm.setAt(due)
	default:
		m.exceeded(j, verdict{bound: bound, used: int64(m.meter.spent)}, m.pool.ladder())
		return
	}
	m.expectLimits(j.link.next)
}

// exceeded ends a running job that has reached one of its limits. Under the lock.
func (m *member) exceeded(j *Job, v verdict, l actors.Ladder) {
	m.end(j, sentence{v, l, v.actorsCause(m.describe(j, 0), j.limits)})
}

// due is when a running job will have reached one of its limits, and which, as far as
// is known now: each sign of life puts one of them off, and so does a processor that
// does not work for it. Under the lock.
func (m *member) due(j *Job) (at time.Time, b bound) {
	sooner := func(t time.Time, of bound) {
		if b == boundNone || t.Before(at) {
			at, b = t, of
		}
	}
	if j.limits.running > 0 {
		sooner(j.begunAt.time().Add(j.limits.running), boundRunning)
	}
	if j.limits.silence > 0 {
		sooner(m.lastSign(j).Add(j.limits.silence), boundSilence)
	}
	if j.limits.cpu > 0 {
		sooner(m.spentAt(j), boundCPUTime)
	}
	return at, b
}

// lastSign is when a running job has last shown that it lives. A worker that lies
// gains no more than one that tells the truth at every moment. Under the lock.
func (m *member) lastSign(j *Job) time.Time {
	begun := j.begunAt.time()
	if sign := earlier(m.link.LastSign(), time.Now()); sign.After(begun) {
		return sign
	}
	return begun // the sign was of a task before it
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// instant is a moment as a job keeps it: in nanoseconds since the program's start,
// a third of a time.Time. 0 is none.
type instant time.Duration

func instantOf(t time.Time) instant { return instant(max(t.Sub(programStart), 1)) }

func (i instant) time() time.Time { return programStart.Add(time.Duration(i)) }
