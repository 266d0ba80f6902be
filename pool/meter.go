package pool

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/stint-go/stint/actors"
)

// This file is how much of its worker a task uses, where that has a limit. The worker is
// not asked: a task could have made it say anything.

// meter is what the kernel tells of a worker's process, and what it told when the job
// began that runs there. Under the pool's lock.
type meter struct {
	spender     uint64        // the job, by its id, that what follows is of; 0: none yet
	spentBefore time.Duration // processor time, until it became the worker's first
	spent       time.Duration // and since then, when the clock was last read

	grower     uint64    // the job, by its id, that what follows is of
	hadBefore  int64     // bytes resident, before it was written to the worker
	blindSince time.Time // when looks have begun to fail; zero: the last one has not
	look       alarm     // rings when the worker's memory is to be looked at; its bell is made when it is first set
}

const (
	// countPause is the least time between two readings of the clock of processor time, and
	// countShare how many times as long as a reading, which takes the longer the more threads
	// the worker has. But longCountPause is long enough: a reading may have been disturbed.
	countPause     = 10 * time.Millisecond
	countShare     = 100
	longCountPause = 200 * time.Millisecond
	// growPause is the time between two looks at the memory of a worker whose task has
	// a limit.
	growPause = 100 * time.Millisecond
	// blindLimit is how long such looks may fail.
	blindLimit = time.Second
)

// measureFrom begins to measure for a job that is now the worker's first: those before
// it are over. Under the lock.
func (m *member) measureFrom(j *Job) {
	if j.limits.cpu > 0 {
		m.count(j)
	}
	if j.limits.memory > 0 && m.meter.grower != j.id {
		m.meter.blindSince = time.Time{} // the looks that failed were for another
	}
	m.lookAfter(j, m.firstSince)
}

// count reads how much processor time the worker has used since the job began, which
// the first reading for it stands for. Reading the clock does not block. Under the lock.
func (m *member) count(j *Job) (told bool) {
	total, err := processorTime(m.process.PID())
	if err != nil {
		return false // it has ended
	}
	c := &m.meter
	if c.spender != j.id {
		c.spender, c.spentBefore = j.id, total
	}
	c.spent = total - c.spentBefore
	return true
}

// spentAt is when a running job will have used up its processor time at the earliest;
// not later than now: it has. Under the lock.
func (m *member) spentAt(j *Job) time.Time {
	left, began := j.limits.cpu, time.Now()
	if told := m.count(j); told {
		left -= m.meter.spent
	}
	now := time.Now()
	if left <= 0 && !m.reaped() {
		return now
	}
	pause := min(max(countPause, countShare*now.Sub(began)), longCountPause)
	return now.Add(max(spendable(left), pause))
}

// spendable is how soon so much processor time can be used up, at the earliest at which it
// is looked for.
func spendable(left time.Duration) time.Duration {
	if left <= 0 {
		return 0
	}
	return max(left/processors(), countPause)
}

// reaped reports whether the worker's process has been reaped. As long as it has not, what
// the kernel told before of its pid was told of it, and of no later process with the same.
func (m *member) reaped() bool {
	return errors.Is(m.process.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// lookAfter has the worker's memory looked at, if that of the job is limited or that of
// all workers: at once, if the job was not measured yet. Under the lock.
func (m *member) lookAfter(j *Job, now time.Time) {
	c := &m.meter
	at := now
	switch {
	case m.unmeasured(j):
		m.link.Hold(true)
	case j.limits.memory > 0:
		at = now.Add(growPause)
	case m.pool.config.Recycle.Memory > 0:
		at = now.Add(weighEvery)
	default:
		return
	}
	if c.look.bell == nil {
		c.look.bell = newTimer(m.memoryRings) // its own goroutine: to read may block
	}
	c.look.setAt(at)
}

// unmeasured reports whether the worker's memory is to be looked at before the job is
// written to it, and so whether that is held. Under the lock.
func (m *member) unmeasured(j *Job) bool {
	return j != nil && j.limits.memory > 0 && m.meter.grower != j.id && m.meter.blindSince.IsZero()
}

// memoryRings looks at a worker's memory, and again as long as it works. What was held
// back until then is written to it.
func (m *member) memoryRings() {
	m.pool.mu.Lock()
	_, of := m.atWork()
	m.pool.mu.Unlock()
	has, err := residentMemory(m.process.PID())
	m.pool.mu.Lock()
	m.looked(of, has, err)
	m.link.Hold(m.unmeasured(m.sent.first))
	m.pool.unlock()
	m.link.Flush()
}

// looked judges what was read of a worker's memory, before which the job with the id of
// was at work there. Under the lock.
func (m *member) looked(of uint64, has int64, err error) {
	c := &m.meter
	c.look.at = time.Time{}
	if err == nil {
		c.blindSince = time.Time{}
		m.checkWeight(has)
	}
	j, id := m.atWork()
	switch {
	case j == nil:
		return
	case j.limits.memory == 0 || id != of: // it need not be judged, or may be what the one before it had
	case err != nil:
		m.blind(j, err)
	case c.grower != id:
		c.grower, c.hadBefore = id, has
	case has-c.hadBefore > j.limits.memory && m.begun(j) && !m.reaped():
		m.exceeded(j, verdict{bound: boundMemory, used: has - c.hadBefore}, actors.Ladder{})
		return
	}
	m.lookAfter(j, time.Now())
}

// blind ends a job whose worker's memory could not be looked at for too long. Under the
// lock.
func (m *member) blind(j *Job, err error) {
	c, now := &m.meter, time.Now()
	switch {
	case c.blindSince.IsZero():
		c.blindSince = now
	case now.Sub(c.blindSince) >= blindLimit && m.begun(j) && !m.reaped():
		why := fmt.Errorf("what its worker takes of memory could not be looked at for %v, which %s asks for: %w", blindLimit, optionMemory, err)
		m.end(j, sentence{verdict{cause: why}, actors.Ladder{}, actors.Cause{Kind: actors.CauseKill, Err: why}})
	}
}

// atWork returns the job that runs at the worker, or that it is to begin, and its id;
// nil: there is none. Under the lock.
func (m *member) atWork() (j *Job, id uint64) {
	if j = m.sent.first; j == nil {
		return nil, 0
	}
	if m.begun(j) {
		j = m.current()
	}
	return j, j.id
}
