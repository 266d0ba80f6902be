package pool

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/runtime/worker"
)

// ErrNoProgress: the task has reported none so far.
var ErrNoProgress = errors.New("the task has reported no progress")

// Report tells how far the task has come whose context ctx is, or is derived
// from: Progress reads it from the task's future, and WithProgress has a function
// called with it. The latest report counts. It is a sign of life, too: see
// Heartbeat.
//
// A task may report as often as it likes, from any of its goroutines. From a
// worker process the first report is sent at once, the next ones at most every
// 10 ms, and the last one before the result; each is encoded when it is made,
// which may take 64 KiB. On a goroutine pool it is handed over as it is.
//
// Errors: ErrNoTask, if ctx is of no task or of one that is over; a *CodecError.
func Report[P any](ctx context.Context, progress P) error {
	if j := taskOf(ctx); j != nil {
		return j.runner.report(j, progress)
	}
	task, ok := worker.TaskName(ctx)
	if !ok {
		return ErrNoTask
	}
	data, err := encode(progress)
	if err == nil {
		ok, err = worker.Report(ctx, data)
	}
	switch {
	case err != nil:
		return &CodecError{Run: Run{Task: task}, Op: "encode", What: "progress", Type: reflect.TypeFor[P]().String(), Err: err}
	case !ok:
		return ErrNoTask
	}
	return nil
}

// Progress returns what the task of a future has reported last, by Report. It
// remains when the future has settled. The error is ErrNoProgress, or a
// *CodecError if the report cannot be read as a P.
func Progress[P, T any](f *futures.Future[T]) (P, error) {
	reported, ok := f.Progress()
	if !ok {
		return *new(P), ErrNoProgress
	}
	return readReport[P](reported.(*report))
}

// report is what a task has reported, as its future has it.
type report struct {
	task    string
	value   any    // on a goroutine pool
	encoded []byte // from a worker process; else nil
}

// readReport reads a report as a P.
func readReport[P any](r *report) (p P, err error) {
	if r.encoded != nil {
		// As CBOR whatever it is: that tells a number from a text.
		p, err = codec[P]{apart: shapeOf(reflect.TypeFor[P]()).decodes}.decodeApart(r.encoded)
	} else if value, ok := r.value.(P); ok || r.value == nil {
		p = value
	} else {
		err = fmt.Errorf("it is a %T", r.value)
	}
	if err != nil {
		return *new(P), &CodecError{Run: Run{Task: r.task}, Op: "decode", What: "progress", Type: reflect.TypeFor[P]().String(), Err: err}
	}
	return p, nil
}

// report takes a report of the job to its future; false: that has settled.
// Without the pool's lock.
func (j *Job) report(r *report) bool {
	if !j.work.report(r) {
		return false
	}
	if j.teller != nil {
		j.teller.hear(r)
	}
	return true
}

// report takes a report of a job, if it is the one that runs here.
func (r *runner) report(j *Job, progress any) error {
	r.live(j)
	if r.running.Load() != j || !j.report(&report{task: j.task.name, value: progress}) {
		return ErrNoTask
	}
	return nil
}

// Progress implements worker.Receiver.
func (m *member) Progress(slot uint16, id uint64, value []byte) bool {
	m.pool.mu.Lock()
	if m.gone || m.cut {
		m.pool.mu.Unlock()
		return true
	}
	s := &m.slots[slot]
	j := s.job
	known := j != nil && s.id == id && m.begun(j)
	m.pool.mu.Unlock()
	if known {
		j.report(&report{task: j.task.name, encoded: append([]byte{}, value...)})
	}
	return known
}
