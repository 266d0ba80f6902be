package pool

import (
	"container/list"
	"context"
	"sync"
)

// admission bounds what waits in a pool's queue: the number of jobs, and the bytes
// of their arguments. Those who find no room stand in line, and are let in in the
// order in which they came: a small job does not pass a large one.
//
// Its lock is a leaf: it is taken under the pool's, and nothing is called under it.
type admission struct {
	policy FullPolicy
	limit  room // zero fields are no bound; with neither nobody is counted

	mu     sync.Mutex
	taken  room
	line   list.List // of *applicant
	closed bool      // the pool takes no more jobs
}

// room is what jobs take in a queue.
type room struct{ jobs, bytes int }

// applicant is a job that stands in line.
type applicant struct {
	job      *Job
	answered chan struct{} // closed when it is let in, or the pool is closed
}

func newAdmission(config Config) admission {
	return admission{policy: config.WhenFull, limit: room{jobs: config.Queue, bytes: config.QueueBytes}}
}

// enter takes room for the job, and waits for it if that is the policy, until the
// job's context ends or the pool takes no more jobs.
func (a *admission) enter(j *Job) error {
	if j.ctx.Err() != nil {
		return context.Cause(j.ctx)
	}
	if a.limit == (room{}) {
		return nil
	}
	if a.limit.bytes > 0 && len(j.argument) > a.limit.bytes {
		return &QueueBytesError{Task: j.task.name, Size: len(j.argument), Limit: a.limit.bytes}
	}
	place, err := a.apply(j)
	if place == nil {
		return err
	}
	select {
	case <-place.Value.(*applicant).answered: // of a closed pool that means no, as it will say itself
		return nil
	case <-j.ctx.Done():
		a.giveUp(j, place)
		return context.Cause(j.ctx)
	}
}

// apply lets the job in, refuses it, or returns its place in the line.
func (a *admission) apply(j *Job) (place *list.Element, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return nil, nil // the pool will say why
	case a.line.Len() == 0 && a.fits(j):
		a.take(j)
		return nil, nil
	case a.policy == Refuse && !j.patient:
		return nil, ErrQueueFull
	}
	return a.line.PushBack(&applicant{job: j, answered: make(chan struct{})}), nil
}

// giveUp takes a job out of the line, or out of the queue's room if it was let in
// meanwhile.
func (a *admission) giveUp(j *Job, place *list.Element) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if j.admitted {
		a.free(j)
	} else {
		a.line.Remove(place)
	}
	a.admit() // whoever stood behind it
}

// leave gives the job's room back when it has been given to a worker for the
// first time, or is done. It does not block.
func (a *admission) leave(j *Job) {
	if j.admitted {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.free(j)
		a.admit()
	}
}

// close answers those who stand in line.
func (a *admission) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for a.line.Len() > 0 {
		a.answer()
	}
}

// What follows is under the lock.

// admit lets in who is first in line, as long as there is room.
func (a *admission) admit() {
	for a.line.Len() > 0 {
		first := a.line.Front().Value.(*applicant)
		if !a.fits(first.job) {
			return
		}
		a.take(first.job) // before it knows
		a.answer()
	}
}

// answer sends the first in line on.
func (a *admission) answer() {
	close(a.line.Remove(a.line.Front()).(*applicant).answered)
}

func (a *admission) fits(j *Job) bool {
	return (a.limit.jobs == 0 || a.taken.jobs < a.limit.jobs) &&
		(a.limit.bytes == 0 || len(j.argument) <= a.limit.bytes-a.taken.bytes)
}

func (a *admission) take(j *Job) {
	j.admitted = true
	a.taken.jobs++
	a.taken.bytes += len(j.argument)
}

func (a *admission) free(j *Job) {
	j.admitted = false
	a.taken.jobs--
	a.taken.bytes -= len(j.argument)
}

// closeOnce closes a channel that may be closed already, under a lock.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}
