package pool

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/stint-go/stint/runtime/worker"
)

// outcomes counts how tasks ended.
type outcomes struct {
	refused, succeeded, failed, timedOut, killed, lost, cancelled atomic.Uint64
}

// fill copies the counters.
func (o *outcomes) fill(s *Stats) {
	s.Refused, s.Succeeded, s.Failed = o.refused.Load(), o.succeeded.Load(), o.failed.Load()
	s.TimedOut, s.Killed, s.Lost, s.Cancelled = o.timedOut.Load(), o.killed.Load(), o.lost.Load(), o.cancelled.Load()
}

// failed counts a failure by its type.
func (o *outcomes) fail(err error) {
	o.failed.Add(1)
	var timeout *TimeoutError
	switch {
	case errors.As(err, &timeout):
		o.timedOut.Add(1)
	case errors.Is(err, ErrKilled):
		o.killed.Add(1)
	case errors.Is(err, ErrWorkerDied):
		o.lost.Add(1)
	}
}

// finish is a result that has come and whose future is still to be settled.
type finish struct {
	job    *Job
	result *worker.Result
}

// settle settles a future by what its worker sent. The reader calls it without
// the lock, since it decodes.
func (m *member) settle(f *finish) {
	j, r := f.job, f.result
	err := m.outcome(j, r)
	if v := j.verdictAfter(r.Elapsed); v != nil && err != nil {
		err = v.error(m.run(j, r.Elapsed), j.limit, err)
	}
	m.pool.settled(j, err)
}

// verdictAfter is why a job that has ended by itself was to end. At its deadline
// its own context ends without our help, so it may give up before we notice.
func (j *Job) verdictAfter(elapsed time.Duration) *verdict {
	if j.verdict == nil && j.limit > 0 && elapsed >= j.limit {
		return &verdict{timeout: true}
	}
	return j.verdict
}

// outcome decodes a result. A task that succeeded within its grace succeeded,
// since its work is done and its effects are there.
func (m *member) outcome(j *Job, r *worker.Result) error {
	if r.Failure != nil {
		return failureError(m.run(j, r.Elapsed), r.Failure, j)
	}
	if limit := m.pool.config.MaxPayload; len(r.Value) > limit {
		return m.resultError(j, r, "encode", fmt.Errorf("%d bytes are over Config.MaxPayload, %d", len(r.Value), limit))
	}
	if err := j.work.succeedEncoded(r.Value); err != nil {
		return m.resultError(j, r, "decode", err)
	}
	return nil
}

func (m *member) resultError(j *Job, r *worker.Result, op string, err error) error {
	_, out := j.work.types()
	return &CodecError{Run: m.run(j, r.Elapsed), Op: op, What: "result", Type: out, Err: err}
}

// settled ends a job that is done: with an error, or nil if its future has its
// value already. Without the lock: it wakes whoever waits.
func (p *ProcessPool) settled(j *Job, err error) {
	j.release()
	if err == nil {
		p.outcomes.succeeded.Add(1)
		return
	}
	p.outcomes.fail(err)
	j.work.fail(err)
}

// finished notes that a job is done. Under the lock.
func (p *ProcessPool) finished(j *Job) {
	j.state = jobDone
	p.live--
	p.checkDrained()
}

// failQueue empties the queue when there is nobody left to run it, and returns
// what was in it. Under the lock.
func (p *ProcessPool) failQueue() (jobs []*Job) {
	if p.broken == nil || len(p.members) > 0 {
		return nil
	}
	for p.queue.length > 0 {
		j := p.queue.first
		p.leaveQueueOnce(j)
		j.unlink()
		p.finished(j)
		jobs = append(jobs, j)
	}
	return jobs
}
