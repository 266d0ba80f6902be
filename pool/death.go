package pool

import (
	"errors"
	"fmt"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime/worker"
)

// This file is a worker's end: what becomes of the jobs that it had.

// lost is a job that ends with its worker.
type lost struct {
	job     *Job
	noted   *arrival // what was over of a chunk
	elapsed time.Duration
	unbegun bool // it ends as one that ended too many workers before they began it
}

// Exited implements actors.Owner: the worker is gone. What it had not begun goes
// back to the queue, untouched; what it had begun fails.
func (m *member) Exited(report actors.Report) error {
	p := m.pool
	p.mu.Lock()
	m.gone = true
	m.awake()
	m.alarm.Stop()
	m.endService(report.Cause.Kind)
	delete(p.members, m)
	p.retire(m)
	if unkillable(report.Exit) != nil {
		p.entomb(m, report)
	}
	p.events.exited(m.event(), report)
	over := m.takeNoted(report.Cause.Kind)
	ends := m.leaveToReader(m.surrender(report.Cause.Kind), report)
	m.condemned = nil
	p.insights.end(m.tally)
	if !report.BecameReady {
		p.lastWord = m.link.StderrTail()
	}
	p.dispatch()
	broken, hopeless := p.broken, p.failQueue()
	why := m.startFailure(report)
	asked := m.asked && p.phase != phaseKilling
	exited := p.exited
	p.unlock()
	m.link.Close()
	m.link.Release() // nobody asks it about a worker that is gone
	for i := range over {
		m.settle(&over[i])
	}
	for _, l := range ends {
		m.lose(l, report)
	}
	for _, j := range hopeless {
		p.retries.fail(j, broken)
	}
	m.log(report, asked)
	if exited != nil && report.BecameReady {
		exited(report.Exit)
	}
	return why
}

// leaveToReader returns what is for the caller to settle of what ends with the
// worker. The other jobs are chunks of which the reader is settling some items at
// the moment, as it decodes them for longer than drainTimeout: those end after
// these. Under the lock.
func (m *member) leaveToReader(ends []lost, report actors.Report) (left []lost) {
	for _, l := range ends {
		if c := l.job.chunk; c != nil && c.settling > 0 {
			c.last = func() { m.lose(l, report) }
		} else {
			left = append(left, l)
		}
	}
	return left
}

// lose settles a job that ends with its worker. Without the lock.
func (m *member) lose(l lost, report actors.Report) {
	p := m.pool
	if l.noted != nil {
		m.settleItems(l.noted)
	}
	if l.job.open() == 0 {
		p.contexts.leave(l.job)
		return
	}
	run := m.describe(l.job, l.elapsed)
	if l.job.chunk != nil {
		run.Item += l.job.chunk.told
	}
	err := m.deathError(l.job, run, report)
	if l.unbegun {
		p.retries.finish(l.job, run, l.job.quarantined(run, err))
	} else {
		p.retries.attempted(l.job, run, err, true)
	}
}

// startFailure says why the worker did not become ready, if that is for its
// initializer. An initializer that has failed before any other succeeded is not
// tried again. Under the lock.
func (m *member) startFailure(report actors.Report) error {
	if report.BecameReady || m.unfit == nil {
		return nil
	}
	err := &InitializerError{
		State: m.pool.initialize.Name, Worker: m.number, PID: report.PID, Elapsed: m.unfit.Elapsed,
		Exit: report.Exit, Stderr: m.link.StderrTail(),
	}
	var late *actors.StartTimeoutError
	switch {
	case m.unfit.Failure != nil:
		err.Err = initializerError(m.pool.config.Initializer.state, m.unfit.Failure)
	case errors.As(report.Cause.Err, &late):
		err.Err = late
	case report.Cause.Kind == actors.CauseMemory, report.Cause.Kind == actors.CauseProtocol, report.Cause.Kind == actors.CauseNone:
		err.Err = report.Cause.Err
	}
	if m.unfit.Failure == nil {
		err.Elapsed = report.Exit.Time.Sub(report.Started)
	}
	if m.pool.wasReady {
		return err
	}
	return actors.Permanent(err)
}

// initializerError makes the error of what a worker told of its initializer.
func initializerError(d *stateDefinition, f *worker.Failure) error {
	switch f.Kind {
	case worker.FailurePanic:
		return newPanicError(Run{}, f)
	case worker.FailureGoexit:
		return ErrGoexit
	case worker.FailureUnknown:
		return ErrUnknownState
	case worker.FailureArgument:
		return fmt.Errorf("cannot decode its configuration of type %s: %s", d.config, printable(f.Message))
	}
	return newRemoteError(f)
}

// takeNoted takes in what the worker had finished and noted, but not sent. The task
// in which it broke the protocol has no result any more. Under the lock.
func (m *member) takeNoted(cause actors.CauseKind) (over []arrival) {
	breach := m.sent.last
	results := m.link.NotedResults()
	for i := range results {
		r := &results[i]
		s := m.slots[r.Slot]
		if s.job == nil || s.id != r.ID || s.job.chunk != nil {
			continue // it came over the channel, too; a chunk's are never among these
		}
		if s.job == breach && cause == actors.CauseProtocol {
			break
		}
		j, _, err := m.take(r)
		if err != nil {
			break
		}
		over = append(over, m.arrivalOf(j, r))
		m.completed(j, r.Elapsed)
	}
	return over
}

// surrender empties the worker: back to the queue what it had not begun, in
// order, and to the caller what ends with it. Under the lock.
func (m *member) surrender(cause actors.CauseKind) (ends []lost) {
	next := m.sent.first
	m.withdrawAll()
	if !meant(cause) {
		m.blame(next)
	}
	for j := m.sent.last; j != nil; j = m.sent.last {
		end := lost{job: j}
		if m.begun(j) { // else the worker wrote nonsense into the claim
			end.elapsed = m.runningFor(j)
			m.account(j, end.elapsed)
			if j.chunk != nil && cause != actors.CauseProtocol {
				end.noted = m.noted(j)
			}
		}
		ends = append(ends, end)
		m.remove(j)
		m.pool.retries.over(j)
	}
	if j := m.hopeless; j != nil {
		ends = append(ends, lost{job: j, unbegun: true})
	}
	return ends
}

// blame holds a worker's end against the job that was the first at it, if that
// is back in the queue and so had not begun: an argument that a worker cannot
// even read would kill workers for ever. At the last time it is taken out, and
// ends with the worker. What is held yet is not to blame. Under the lock.
func (m *member) blame(next *Job) {
	if next == nil || next.state != jobQueued || m.unmeasured(next) {
		return
	}
	if next.deaths++; int(next.deaths) >= m.pool.retries.quarantine {
		m.pool.queue.remove(next)
		next.state = jobDone
		m.hopeless = next
	}
}

// cutOff is the end of all dealings with a worker that may live on for a moment:
// what it has not begun goes back to the queue, before a spare takes its place and
// may have it. Under the lock.
func (m *member) cutOff() {
	m.cut = true
	next := m.sent.first
	m.withdrawAll()
	m.blame(next)
	m.pool.retire(m)
}

// deathError says why a task failed whose worker died.
func (m *member) deathError(j *Job, run Run, report actors.Report) error {
	var why error
	if j.verdict != nil && report.Cause.Kind != actors.CauseNone && report.Cause.Kind != actors.CauseMemory {
		j.verdict.stack = m.lastStack(j.verdict)
		why = j.verdict.error(run, j.limits, nil)
	}
	if u := unkillable(report.Exit); u != nil {
		return &UnkillableError{Run: run, After: u.After, Err: why, Why: u}
	}
	if why != nil {
		return why
	}
	err := &WorkerError{Run: run, Exit: report.Exit, Err: overMemory(run, report.Cause), Stderr: m.link.StderrTail()}
	if err.Err == nil && report.Cause.Kind == actors.CauseNone && m.pool.config.Limits.CPUTime > 0 {
		err.Err = spentCPUTime(report.Exit, m.pool.config.Limits.CPUTime)
	}
	return err
}

// log tells the operator of a worker that nobody here meant to end, and of one
// that was asked to leave and did not do it well.
func (m *member) log(report actors.Report, asked bool) {
	what := ""
	switch {
	case !report.BecameReady, unkillable(report.Exit) != nil: // the actors have told it
	case !meant(report.Cause.Kind):
		what = "stint: a worker died"
	case asked && report.Exit.Kind == reactor.Signalled:
		what = "stint: a worker did not leave within Config.StopTimeout and was killed"
	case asked && report.Exit.Code == worker.ExitFinalizer:
		what = "stint: a finalizer failed"
	}
	if what != "" {
		m.pool.config.Logger.Warn(what, "worker", m.number, "pid", report.PID,
			"exit", report.Exit, "cause", report.Cause, "stderr", excerpt(m.link.StderrTail()))
	}
}

// meant reports whether a worker was ended on purpose, and not for a fault.
func meant(cause actors.CauseKind) bool {
	return cause != actors.CauseNone && cause != actors.CauseProtocol && cause != actors.CauseMemory
}
