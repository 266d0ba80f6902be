package pool

import (
	"time"

	"github.com/stint-go/stint/runtime/worker"
)

// arrival is a result that has come and whose future is still to be settled.
type arrival struct {
	job    *Job
	result *worker.Result

	// Of a chunk, as they were when the results came.
	first   int // the item of the first result
	verdict *verdict
	ended   int // the item that the verdict is for, from 1
}

// settle settles a future by what its worker sent. The reader calls it without
// the lock, since it decodes.
func (m *member) settle(a *arrival) {
	j, r := a.job, a.result
	if r.Chunk {
		m.settleItems(a)
		m.itemsSettled(j.chunk)
		return
	}
	j.work.took(r.Elapsed)
	run := m.describe(j, r.Elapsed)
	err := m.outcome(j, run, r)
	_, codec := err.(*CodecError) // is not the task's own doing
	if v := j.verdictAfter(r.Elapsed); v != nil && err != nil && !codec {
		err = v.error(run, j.limits, err)
	}
	m.giveBackArgument(j)
	m.pool.retries.attempted(j, run, err, false)
}

// verdictAfter is why a job that has ended by itself was to end. At its deadline
// its own context ends without our help, so it may give up before we notice.
func (j *Job) verdictAfter(elapsed time.Duration) *verdict {
	if j.verdict == nil && j.limits.running > 0 && elapsed >= j.limits.running {
		return &verdict{bound: boundRunning}
	}
	return j.verdict
}

// outcome decodes a result. A task that succeeded within its grace succeeded,
// since its work is done and its effects are there.
func (m *member) outcome(j *Job, run Run, r *worker.Result) error {
	if r.Failure != nil {
		return failureError(run, r.Failure, j)
	}
	if err := m.pool.config.checkPayload(len(r.Value)); err != nil {
		return resultError(j, run, "encode", err)
	}
	if err := j.work.decode(worker.Payload{Data: r.Value, Region: r.Region}); err != nil {
		return resultError(j, run, "decode", err)
	}
	return nil
}

func resultError(j *Job, run Run, op string, err error) error {
	_, out := j.work.types()
	return &CodecError{Run: run, Op: op, What: "result", Type: out, Err: err}
}
