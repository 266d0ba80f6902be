package pool

import (
	"errors"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/runtime/worker"
)

// Results implements worker.Receiver: tasks have ended.
func (m *member) Results(results []worker.Result) {
	p := m.pool
	p.mu.Lock()
	m.awake()
	spare, broken := m.takeAll(results)
	m.checkService()
	p.refill(m)
	p.dispatch()
	weigh := m.dueToWeigh()
	p.unlock()
	if weigh {
		m.weigh()
	}
	if broken != nil {
		m.process.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseProtocol, Err: broken})
	}
	if spare {
		m.process.Spare()
	}
	for i := range m.arrived {
		m.settle(&m.arrived[i])
	}
	clear(m.arrived)
	m.arrived = m.arrived[:0]
}

// takeAll takes results in. spare says that the condemned job was among them: it
// was over in time. An error says that the worker broke the protocol. Under the
// lock.
func (m *member) takeAll(results []worker.Result) (spare bool, broken error) {
	m.taking = time.Now()
	defer func() { m.taking = time.Time{} }()
	for i := range results {
		if m.gone || m.cut {
			break
		}
		r := &results[i]
		j, over, err := m.take(r)
		if err != nil {
			m.cutOff()
			return spare, &worker.ProtocolError{Worker: m.number, Err: err}
		}
		if j == nil {
			continue
		}
		m.arrived = append(m.arrived, m.arrivalOf(j, r))
		if j.chunk != nil {
			j.chunk.settling++
		}
		if !over {
			continue
		}
		m.completed(j, r.Elapsed)
		if m.condemned == j {
			m.condemned, m.pardoning, spare = nil, true, !m.inquiry.dumped
		}
	}
	return spare, nil
}

// completed notes that a job has run to its end. Under the lock.
func (m *member) completed(j *Job, elapsed time.Duration) {
	m.pace.note(elapsed)
	m.served++
	m.account(j, elapsed)
}

// arrivalOf notes what has come for a job. Under the lock; the results are counted
// already.
func (m *member) arrivalOf(j *Job, r *worker.Result) arrival {
	a := arrival{job: j, result: r, verdict: j.verdict}
	if c := j.chunk; c != nil {
		a.first, a.ended = c.told-r.Count, c.ended
	}
	return a
}

// take frees the slot of a result and returns its job; no job if it had been
// withdrawn. over is false while more results of it are to come. An error: the
// worker made this up. Under the lock.
func (m *member) take(r *worker.Result) (j *Job, over bool, err error) {
	s := &m.slots[r.Slot]
	if s.id != r.ID || r.ID == 0 || r.Skipped != (s.job == nil) {
		return nil, false, errors.New("a result for a task that it does not have")
	}
	j = s.job
	if j != nil {
		if !m.begun(j) {
			return nil, false, errors.New("a result for a task that it had not begun")
		}
		if over, err := m.takeItems(j, r); err != nil || !over {
			return j, false, err
		}
		m.remove(j)
		m.lastTask = j.task
		m.pool.retries.over(j)
	}
	m.unread -= s.size
	if s.size >= worker.LargePayload {
		m.link.Settled(r.Slot)
	}
	*s = slot{}
	m.free = append(m.free, r.Slot)
	return j, true, nil
}
