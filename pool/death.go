package pool

import (
	"time"

	"github.com/stint-go/stint/actors"
)

// This file is a worker's end: what becomes of the jobs that it had.

// Exited implements actors.Owner: the worker is gone. What it had not begun goes
// back to the queue, untouched; what it had begun fails.
func (m *member) Exited(report actors.Report) {
	p := m.pool
	p.mu.Lock()
	m.gone = true
	m.awake()
	m.alarm.stop()
	delete(p.members, m)
	p.removeIdle(m)
	begun := m.surrender()
	m.condemned = nil
	m.link.Release()
	if !report.BecameReady {
		p.lastWord = m.link.StderrTail()
	}
	p.dispatch()
	broken, hopeless := p.broken, p.failQueue()
	p.mu.Unlock()
	m.link.Close()
	m.log(report)
	for _, l := range begun {
		p.settled(l.job, m.deathError(l, report))
	}
	for _, j := range hopeless {
		p.settled(j, broken)
	}
}

// cutOff is the end of all dealings with a worker that may live on for a moment:
// what it has not begun goes back to the queue. Under the lock.
func (m *member) cutOff() {
	m.cut = true
	m.pool.removeIdle(m)
	m.withdrawAll()
}

// log tells the operator of a worker that nobody here meant to end.
func (m *member) log(report actors.Report) {
	unmeant := report.Cause.Kind == actors.CauseNone || report.Cause.Kind == actors.CauseProtocol
	if unmeant && report.BecameReady {
		m.pool.config.Logger.Warn("stint: a worker died", "worker", m.number, "pid", report.PID, "exit", report.Exit, "cause", report.Cause)
	}
}

// lost is a job that had begun when its worker died.
type lost struct {
	job     *Job
	elapsed time.Duration
}

// surrender empties the worker: back to the queue what it had not begun, in
// order, and to the caller what it had. Under the lock.
func (m *member) surrender() (begun []lost) {
	for j := m.sent.last; j != nil; j = m.sent.last {
		if m.withdraw(j) {
			m.pool.requeue(j)
			continue
		}
		at, _ := m.link.Begun(j.slot, j.id)
		m.remove(j)
		m.pool.finished(j)
		begun = append(begun, lost{job: j, elapsed: max(0, time.Since(at))})
	}
	return begun
}

// deathError says why a task failed whose worker died.
func (m *member) deathError(l lost, report actors.Report) error {
	run := m.run(l.job, l.elapsed)
	if l.job.verdict != nil && report.Cause.Kind != actors.CauseNone {
		return l.job.verdict.error(run, l.job.limit, nil)
	}
	return &WorkerError{Run: run, Exit: report.Exit, Err: report.Cause.Err, Stderr: m.link.StderrTail()}
}
