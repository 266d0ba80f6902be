package pool

import (
	"context"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/runtime/worker"
)

// Job is one submitted task on its way through a pool. Task.Submit makes it, and
// Pool.Submit takes it over. Many of them wait at a time, and BenchmarkPending
// says what each costs: with its types, 288 bytes.
type Job struct {
	task    *definition
	ctx     context.Context
	limits  *limits    // shared with others; see ownLimits
	placed  *placement // in the queue; nil: the plain one
	teller  *teller    // of its reports; nil: nobody asked for it
	work    work
	chunk   *chunk    // nil: it is a single task
	retry   *retrying // nil: it is tried once
	owner   owner     // set by the pool that accepts it
	item    int       // its number in the input of a map, from 1; 0: it is of none
	patient bool      // waits for room in a full queue, whatever the pool's policy
	watched bool      // ctx is or was watched, by watch

	borrowed bool // the argument's memory is to be given back; see arguments.go

	// What follows belongs to the pool, under its lock.
	state      jobState
	admitted   bool  // has a place in the bounded queue
	withdrawn  bool  // done without having begun
	moved      uint8 // how often it was taken from a worker that did not begin it
	deaths     uint8 // how many workers in a row ended with it, or when it was their next
	slot       uint16
	attempt    uint32  // how often it is known to have begun
	place      int32   // in the pool's queueClock, from 1; 0: it has no such limit, or its clock has stopped
	watchPlace int32   // among the jobs of watch; under the lock of the pool's contexts
	number     uint64  // among those that have come to wait, from 1; another one for each attempt
	id         uint64  // at the member
	argument   []byte  // encoded; process pools only
	carried    *[]byte // context values, encoded; process pools only; nil: none
	member     *member // process pools
	runner     *runner // goroutine pools
	begunAt    instant // as the worker told first; 0: not known to have begun
	verdict    *verdict
	brood      *brood // what it has submitted to its own pool; nil: nothing
	parents    *brood // that it is one of; nil: it was submitted from outside, or is done
	link       jobLink

	watch *contextWatch // of ctx; nil: none; under the lock of the pool's contexts
}

// apply applies the options of a task and of a call, which go before them.
func (j *Job) apply(task, call []Option) {
	j.limits = &noLimits
	for _, option := range task {
		option(j)
	}
	for _, option := range call {
		option(j)
	}
}

// check says what cannot be in a call of Submit or Map.
func (j *Job) check(call string, p Pool) error {
	switch {
	case j.ctx == nil:
		return &ConfigError{Field: call, Reason: "the context is nil"}
	case missing(p):
		return &ConfigError{Field: call, Reason: "the pool is nil"}
	}
	return j.checkOptions()
}

// checkOptions says what cannot be in the options.
func (j *Job) checkOptions() error {
	if j.retry != nil {
		if err := j.retry.policy.check(); err != nil {
			return err
		}
	}
	if j.teller != nil && j.teller.tell == nil {
		return &ConfigError{Field: "WithProgress", Reason: "the function is nil"}
	}
	return j.limits.check()
}

// missing tells a pool that is none, also one that its constructor has refused.
func missing(p Pool) bool {
	switch p := p.(type) {
	case nil:
		return true
	case *ProcessPool:
		return p == nil
	case *GoroutinePool:
		return p == nil
	case *nestedPool:
		return p == nil
	}
	return false
}

// jobState is where a job is.
//
//	new ─► queued ─► sent ───────────────► done
//	         ▲ ▲──────┘ │ taken back         ▲
//	         │          ▼ may be tried again │
//	         └─between◄─judged ──────────────┘
type jobState uint8

const (
	jobNew     jobState = iota
	jobQueued           // waits for a worker
	jobSent             // a worker has it: it runs, or is ahead of time
	jobJudged           // an attempt is over, and it is not known yet what follows
	jobBetween          // waits for the next attempt
	jobDone             // settled, or being settled by whoever made it done
)

// work is a job's typed side: its argument, its function and its promise.
type work interface {
	// encode encodes the argument.
	encode() ([]byte, error)
	// call runs the function here, and keeps its result for succeed.
	call(ctx context.Context) error
	// decode decodes a result, and keeps it for succeed.
	decode(value worker.Payload) error
	// succeed settles the future with the result that was kept.
	succeed() bool
	// took is told how long the worker took, before succeed.
	took(time.Duration)
	start() bool
	// report takes what the task reports; false: the future has settled.
	report(*report) bool
	fail(error) bool
	cancel(cause error) bool
	// types names the Go types of argument and result.
	types() (in, out string)
	// retried tells the future that another attempt has begun.
	retried()
	// fork returns a copy of the job for one attempt, since one that was abandoned
	// may still use its own. Goroutine pools only.
	fork() *Job
	// adopt takes the result that a fork has kept.
	adopt(*Job)
}

// owner is the pool as a job's future knows it.
type owner interface {
	begun(*Job) bool
	withdraw(*Job) bool
	kill(*Job) bool
}

// control is the job as its future knows it.
type control Job

var _ futures.Control = (*control)(nil)

func (c *control) Begun() bool  { return c.owner != nil && c.owner.begun((*Job)(c)) }
func (c *control) Cancel() bool { return c.owner != nil && c.owner.withdraw((*Job)(c)) }
func (c *control) Kill() bool   { return c.owner != nil && c.owner.kill((*Job)(c)) }

// trial returns the part of a job that one attempt needs to itself. Under the
// pool's lock.
func (j *Job) trial() Job {
	return Job{
		task: j.task, ctx: j.ctx, limits: j.limits, placed: j.placed, teller: j.teller, owner: j.owner, item: j.item,
		state: j.state, runner: j.runner, attempt: j.attempt, number: j.number,
	}
}

// asRun describes the job as long as no worker has it, for errors and events.
func (j *Job) asRun() Run { return Run{Task: j.task.name, Item: j.item} }
