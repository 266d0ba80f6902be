package pool

import (
	"time"

	"github.com/stint-go/stint/runtime/worker"
)

// settleItems settles the items whose results have come. As settle, without the
// lock; what may change under it is in the arrival.
func (m *member) settleItems(a *arrival) {
	w := a.job.chunk.work
	failures := w.decodeItems(m, a)
	o := &m.pool.outcomes
	o.succeeded.Add(uint64(a.result.Count - len(failures)))
	for _, f := range failures {
		o.count(f.err)
	}
	if o.events.heard.Load() {
		m.tellItems(a, failures)
	}
	w.settleItems()
	if a.result.Last {
		w.measured(a.first+a.result.Count, a.result.Elapsed)
		o.contexts.leave(a.job)
	}
}

// itemsSettled notes that the reader has settled an arrival of a chunk. If the
// worker has ended meanwhile, it settles what was left of the chunk then.
func (m *member) itemsSettled(c *chunk) {
	m.pool.mu.Lock()
	var last func()
	if c.settling--; c.settling == 0 {
		last, c.last = c.last, nil
	}
	m.pool.mu.Unlock()
	if last != nil {
		last()
	}
}

// tellItems tells listeners of each item.
func (m *member) tellItems(a *arrival, failures []failure) {
	for i := range a.result.Count {
		var err error
		if len(failures) > 0 && failures[0].at == i {
			err, failures = failures[0].err, failures[1:]
		}
		m.pool.outcomes.events.settled(a.job, m.describeItem(a, i, 0), err)
	}
}

// codecError is the error of an item whose result cannot be used.
func (m *member) codecError(a *arrival, i int, op string, err error) error {
	return resultError(a.job, m.describeItem(a, i, 0), op, err)
}

// itemError makes the error of an item that failed, of what its worker told.
func (m *member) itemError(a *arrival, i int, told []byte) error {
	j := a.job
	elapsed, failure, err := worker.ItemFailure(told)
	run := m.describeItem(a, i, elapsed)
	if err != nil {
		return resultError(j, run, "decode", err)
	}
	err = failureError(run, &failure, j)
	if _, ofCodec := err.(*CodecError); ofCodec {
		return err
	}
	if a.verdict != nil && a.ended == a.first+i+1 {
		return a.verdict.error(run, j.limits, err)
	}
	if j.limits.running > 0 && elapsed >= j.limits.running {
		return (&verdict{bound: boundRunning}).error(run, j.limits, err)
	}
	return err
}

// describeItem describes an item's run at this worker, for errors and events.
func (m *member) describeItem(a *arrival, i int, elapsed time.Duration) Run {
	run := m.describe(a.job, elapsed)
	run.Item += a.first + i
	return run
}
