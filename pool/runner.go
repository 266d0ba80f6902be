package pool

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/runtime/worker"
)

// runner is one goroutine of a GoroutinePool.
type runner struct {
	pool      *GoroutinePool
	number    int
	goroutine int        // its number in stack traces
	held      *heldState // the runner's own; nil: none

	// Under the pool's lock.
	idle      bool // has no job, and takes the next one
	abandoned bool
	leaving   bool // was one too many
	left      bool
	lane      *lane // of the running job; nil: there is none
	begun     time.Time
	tally     *tally
	job       *Job         // the running one
	trial     *Job         // the running job, or a copy of it for this attempt alone, since an abandoned one goes on
	context   *lazyContext // of the running task
	silence   alarm        // of the running task; its bell is made with the first limit of silence

	running atomic.Pointer[Job] // the attempt; nil between two
	sign    atomic.Int64        // of life, a task's last: nanoseconds since programStart
}

// run runs jobs until the pool has no more or gives this goroutine up. A task
// that calls runtime.Goexit ends it, too, and leave replaces it.
func (r *runner) run() {
	defer r.leave()
	defer r.finalize()
	r.goroutine = worker.Goroutine()
	if !r.initialize() {
		return
	}
	for {
		j := r.next()
		if j == nil {
			return
		}
		r.perform(j)
	}
}

// next waits for a job; nil: go home.
func (r *runner) next() *Job {
	p := r.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	for !r.abandoned && !p.surplus() && !p.mayTake() {
		if p.queue.length == 0 && p.phase != phaseOpen {
			return nil
		}
		r.setIdle(true)
		p.wake.Wait()
	}
	r.setIdle(false)
	if r.abandoned {
		return nil
	}
	if p.surplus() {
		r.leaving = true
		p.leaving++ // at once, so that no other goes in its stead
		return nil
	}
	j := p.queue.pop(nil)
	r.lane = p.queue.serves(j, r.lane)
	p.waiting.remove(j)
	p.admission.leave(j)
	if p.throttle.limiter != nil {
		p.wake.Signal() // who waits for the rate, too, sets the alarm for the next
	}
	j.state, j.runner = jobSent, r
	p.running.pushBack(j)
	r.begun = time.Now()
	p.retries.begun(j, r.begun, r.describe(j, 0))
	r.job, r.trial = j, j
	if j.retry != nil {
		r.trial = j.work.fork()
	}
	r.context = &lazyContext{trial: r.trial}
	r.running.Store(r.trial)
	r.listen(j)
	return j
}

// setIdle keeps the pool's count. Under the lock.
func (r *runner) setIdle(idle bool) {
	switch {
	case idle && !r.idle:
		r.pool.idle++
	case !idle && r.idle:
		r.pool.idle--
	}
	r.idle = idle
}

// leave ends the goroutine.
func (r *runner) leave() {
	p := r.pool
	p.mu.Lock()
	r.left = true
	if r.silence.bell != nil {
		r.silence.Stop()
	}
	if r.abandoned {
		p.abandoned--
	} else {
		p.dismiss(r)
		p.insights.end(r.tally)
		p.events.exited(r.event(), actors.Report{})
		p.provide()
	}
	broken, hopeless := p.broken, p.failQueue()
	p.checkDone()
	p.mu.Unlock()
	p.settleAll(hopeless, broken)
}

// rest takes the runner out of those that wait for jobs.
func (r *runner) rest() {
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	r.setIdle(false)
}

// perform runs one job. Its future is settled here, unless its time is up first.
func (r *runner) perform(j *Job) {
	if r.running.Load() == nil {
		return // given up already
	}
	own := r.context
	ctx, stop := r.begin(j, own)
	var err error
	returned := false
	defer func() {
		switch value := recover(); {
		case value != nil:
			err = &PanicError{Value: fmt.Sprint(value), Type: fmt.Sprintf("%T", value), Stack: string(debug.Stack())}
		case !returned:
			err = ErrGoexit
		}
		ended := own.ended()
		if stop != nil {
			ended = ctx.Err() != nil
			stop()
		}
		own.end(nil)
		r.complete(j, err, ended)
	}()
	j.work.start()
	err = r.trial.work.call(ctx)
	returned = true
}

// begin has the task given up at its deadline, if it has one: then it returns a
// context that ends there, and what to call when the task has returned. It calls the
// caller's context, which may be of the caller's own making, without the lock.
func (r *runner) begin(j *Job, own *lazyContext) (ctx context.Context, stop func()) {
	if j.limits.running == 0 {
		return own, nil
	}
	trial := own.trial
	ctx, end := context.WithDeadline(own, r.begun.Add(j.limits.running))
	unwatch := context.AfterFunc(ctx, func() { r.pool.expire(r, trial, r.verdict(j)) })
	return ctx, func() {
		unwatch()
		end()
	}
}

// verdict says why a task's context has ended: its caller's, or its deadline.
func (r *runner) verdict(j *Job) *verdict {
	if j.ctx.Err() != nil {
		return &verdict{cause: context.Cause(j.ctx)}
	}
	return &verdict{bound: boundRunning}
}

// complete settles a job that has returned, unless it was given up before.
func (r *runner) complete(j *Job, err error, ended bool) {
	p := r.pool
	r.running.Store(nil)
	p.mu.Lock()
	over := r.abandoned
	run := r.describe(j, time.Since(r.begun))
	if !over {
		j.unlink()
		r.account(j)
		if r.trial != j {
			j.work.adopt(r.trial)
		}
		p.retries.over(j)
		r.job, r.trial, r.context = nil, nil, nil
		r.lane = p.queue.serves(nil, r.lane)
		r.setIdle(true) // before the future is settled: who has seen that finds this goroutine
	}
	p.mu.Unlock()
	if over {
		return
	}
	if err != nil {
		err = taskError(run, err)
		if ended {
			err = r.verdict(j).error(run, j.limits, err)
		}
	}
	p.retries.attempted(j, run, err, false)
}

// taskError puts the run into the error of a task.
func taskError(run Run, err error) error {
	if panicked, ok := err.(*PanicError); ok && panicked.Task == "" {
		panicked.Run = run
		return panicked
	}
	return &TaskError{Run: run, Err: err}
}

// account notes how long an attempt has run. Under the lock.
func (r *runner) account(j *Job) {
	elapsed := time.Since(r.begun)
	if r.pool.insights.note(r.tally, elapsed) {
		r.pool.insights.rank(r.describe(j, elapsed))
	}
}

// event describes the goroutine, for events.
func (r *runner) event() WorkerEvent { return WorkerEvent{Time: time.Now(), Worker: r.number} }

// describe describes the job's run on this goroutine, for errors.
func (r *runner) describe(j *Job, elapsed time.Duration) Run {
	run := j.asRun()
	run.Worker, run.Elapsed = r.number, elapsed
	return run
}
