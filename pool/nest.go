package pool

import (
	"context"
	"errors"

	"github.com/stint-go/stint/runtime/worker"
)

// This file is about tasks that submit tasks to the pool that they run in.
//
// A task that waits for another one of its pool keeps its worker meanwhile, and
// if all workers are kept so nothing goes on. So a running job whose nested jobs
// are not all done lends its place: as long as that lasts one worker more may
// work. Whether it waits for them is not asked; it need not, but then it works on
// beside the one in its place. Nested jobs go before all others, the deeper ones
// first, so that what was begun ends before more is begun.
//
// One place at least is never lent: the nested job that would take it is refused.
// Whoever holds that place ends, lends it, or is refused; so there is no deadlock.

// From returns the pool that runs the task to which ctx belongs, for the task to
// submit other tasks to. They are submitted, waited for, cancelled and killed as
// any, and their own tasks may do the same, to any depth, on a pool of any size:
// see Config.NestedWorkers. What is not done when the task returns, or is ended,
// is cancelled, or killed if it has begun.
//
// A task cannot close the pool that runs it: that would wait for itself. In a
// worker process Shutdown and Close refuse with ErrNotOwner, Stats asks the host,
// and Events has none to tell. An error is ErrNoTask: ctx is none that a pool has
// given to a task, or derived from one.
func From(ctx context.Context) (Pool, error) {
	if j := taskOf(ctx); j != nil {
		return j.runner.pool, nil
	}
	if caller := worker.CallerOf(ctx); caller != nil {
		return newNestedPool(caller), nil
	}
	return nil, ErrNoTask
}

// runningKey finds the job in a context whose task one pool runs: of several,
// as when a task of the pool submits to another pool, whose task submits to the
// first, the innermost.
type runningKey struct{ pool *GoroutinePool }

// brood are the jobs that one run of a task has submitted to its own pool.
type brood struct {
	jobs int  // not done
	over bool // the run has ended

	// Of a process pool, where the jobs come without a context of their own.
	ctx context.Context
	end context.CancelCauseFunc // called without the pool's lock
}

// errParentOver is why the rest of a brood is ended.
var errParentOver = errors.New("the task that has submitted it is over")

// loans counts the places that running jobs lend. Under the pool's lock.
type loans struct {
	workers int // that may work when none is lent
	most    int // beyond these
	lent    int
}

// wanted is how many workers may work. Also when the pool has shrunk meanwhile,
// there is one whose place is not lent.
func (l *loans) wanted() int {
	if l.lent == 0 {
		return l.workers
	}
	return max(l.workers+min(l.lent, l.most), l.lent+1)
}

// nest takes a job into the brood of one that runs. An error is a *NestingError.
func (l *loans) nest(j, parent *Job) error {
	depth := parent.placement().depth + 1
	if parent.brood == nil {
		parent.brood = &brood{}
	}
	if parent.brood.jobs == 0 {
		if l.lent+1 >= l.workers+l.most {
			return &NestingError{Task: j.task.name, Depth: depth, Workers: l.workers, Nested: l.most}
		}
		l.lent++
	}
	parent.brood.jobs++
	j.parents, j.ownPlacement().depth = parent.brood, depth
	return nil
}

// returned notes that a run of a job is over: its own place is not lent any more,
// and nothing can join its brood.
func (l *loans) returned(j *Job) {
	if own := j.brood; own != nil && !own.over {
		own.over = true
		if own.jobs > 0 {
			l.lent--
		}
	}
}

// over notes that a job is done: its own place is not lent any more, and perhaps
// not that of the job in whose brood it was. It reports whether fewer are lent.
func (l *loans) over(j *Job) (fewer bool) {
	before := l.lent
	l.returned(j)
	if of := j.parents; of != nil {
		j.parents = nil
		if of.jobs--; of.jobs == 0 && !of.over {
			l.lent--
		}
	}
	return l.lent < before
}

// endBrood ends what a run of a task has left behind. Without the pool's lock.
func (j *Job) endBrood() {
	if j.brood != nil && j.brood.end != nil {
		j.brood.end(errParentOver)
	}
}
