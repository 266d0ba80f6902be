package pool

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/stint-go/stint/futures"
)

// GoroutinePool runs tasks in goroutines of this process: for work that waits
// (networks, disks) rather than computes, and that can be trusted. A goroutine
// cannot be killed. When a task's time is up, its context ends and its future
// fails at once; a goroutine that runs on regardless is abandoned, counted in
// Stats, and another takes its place.
type GoroutinePool struct {
	config    Config
	limits    limits // of tasks that have none of their own
	admission admission
	life      context.Context // ends with a shutdown by force
	end       context.CancelCauseFunc
	ready     chan struct{} // closed when the first runner is, or the pool is broken
	done      chan struct{} // closed when a shutdown is through

	mu           sync.Mutex
	wake         sync.Cond // by mu: a job for an idle runner, or the end
	phase        phase
	broken       error // a *BrokenError, once runners cannot be initialized
	queue        queue
	waiting      queueClock
	throttle     throttle
	running      jobList
	runners      int // not abandoned
	leaving      int // of these, that have no more to do here
	initializing int // of these, not ready
	idle         int // of these, ready and without a job
	abandoned    int
	started      int // ever; numbers them
	accepted     uint64
	live         int // accepted, and not done
	loans        loans
	wasReady     bool // a runner was, once
	setbacks     setbacks
	delay        *time.Timer // runs until runners may be started again; nil: now

	outcomes outcomes
	retries  retries
	insights insights
	contexts contexts
	events   events
}

var _ Pool = (*GoroutinePool)(nil)

// NewGoroutinePool makes a pool of goroutines, which start as they are needed.
// If there is an initializer it starts one, and returns when that is ready. The
// caller closes the pool. An error is a *ConfigError or a *BrokenError.
func NewGoroutinePool(config Config) (*GoroutinePool, error) {
	refuseInWorker()
	setDefault(&config.NestedWorkers, 10_000)
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	if config.QueueBytes > 0 {
		return nil, &ConfigError{Field: "QueueBytes", Reason: "a goroutine pool encodes nothing; bound the number of tasks by Queue"}
	}
	p := &GoroutinePool{
		config:    config,
		limits:    config.limits(),
		admission: newAdmission(config),
		ready:     make(chan struct{}),
		done:      make(chan struct{}),
		loans:     loans{workers: config.Workers, most: config.NestedWorkers},
		setbacks:  newSetbacks(),
	}
	p.wake.L = &p.mu
	p.contexts.over = p.contextEnded
	p.outcomes.events, p.outcomes.contexts = &p.events, &p.contexts
	p.waiting = newQueueClock(newTimer(p.queueTimeRings))
	p.throttle = newThrottle(config.Rate, newTimer(p.throttleRings))
	p.retries = retries{pool: p, outcomes: &p.outcomes, quarantine: config.Quarantine}
	p.life, p.end = context.WithCancelCause(context.Background())
	if config.Initializer != nil {
		if err := p.startFirst(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// closure is the definition of every function that Go runs.
var closure = &definition{name: "func"}

// Go runs a function on a goroutine pool and returns the future of its result.
// It is Task.Submit for a closure, which needs no name, since it goes nowhere.
func Go[Out any](ctx context.Context, p *GoroutinePool, run func(ctx context.Context) (Out, error), options ...Option) *futures.Future[Out] {
	switch {
	case run == nil:
		return futures.FromError[Out](&ConfigError{Field: "Go", Reason: "the function is nil"})
	case p == nil:
		return futures.FromError[Out](&ConfigError{Field: "Go", Reason: "the pool is nil"})
	}
	once := &Task[struct{}, Out]{definition: closure, run: func(ctx context.Context, _ struct{}) (Out, error) { return run(ctx) }}
	return (&call[struct{}, Out]{of: once}).submit(ctx, p, options)
}

// Submit implements Pool.
func (p *GoroutinePool) Submit(j *Job) {
	parent := p.parent(j)
	if parent == nil {
		if err := p.admission.enter(j); err != nil {
			p.outcomes.refuse(j, err)
			return
		}
	}
	p.contexts.enter(j)
	p.mu.Lock()
	err := p.accept(j, parent)
	p.mu.Unlock()
	if err != nil {
		p.outcomes.refuse(j, err)
		return
	}
	if j.ctx.Err() != nil { // perhaps since before it was queued
		p.contextEnded(j)
	}
}

// parent returns the running task of this pool whose context a job has; nil:
// none. A nested job takes no place in a bounded queue: what it would wait for
// may wait for it.
func (p *GoroutinePool) parent(j *Job) *Job {
	parent, _ := j.ctx.Value(runningKey{p}).(*Job)
	if parent == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if parent.state != jobSent {
		return nil // it is over: what it left behind is nested in nothing
	}
	return parent
}

// accept queues a job, or says why not. Under the lock.
func (p *GoroutinePool) accept(j, parent *Job) error {
	nested := parent != nil && parent.state == jobSent
	if p.phase > phaseDraining || p.phase == phaseDraining && !nested {
		p.admission.leave(j)
		return ErrClosed
	}
	if p.broken != nil {
		p.admission.leave(j)
		return p.broken
	}
	if err := j.limits.ofProcess(); err != nil {
		p.admission.leave(j)
		return err
	}
	if nested {
		if err := p.loans.nest(j, parent); err != nil {
			return err
		}
	}
	j.owner = p
	j.completeLimits(&p.limits)
	p.waiting.add(j)
	p.accepted++
	p.live++
	p.enqueue(j)
	return nil
}

func (p *GoroutinePool) lock() { p.mu.Lock() }

func (p *GoroutinePool) unlock() { p.mu.Unlock() }

// Insights implements Pool.
func (p *GoroutinePool) Insights() Insights {
	p.mu.Lock()
	defer p.mu.Unlock()
	running := make(map[*tally]time.Duration)
	for j := p.running.first; j != nil; j = j.link.next {
		running[j.runner.tally] = time.Since(j.runner.begun)
	}
	return p.insights.snapshot(running)
}

// Events implements Pool.
func (p *GoroutinePool) Events(ctx context.Context) iter.Seq[Event] { return p.events.listen(ctx) }

// markDone makes a job done, for which the pool need not wait any longer. Under
// the lock.
func (p *GoroutinePool) markDone(j *Job) {
	j.state = jobDone
	p.live--
	p.waiting.remove(j)
	p.loans.over(j)
	p.sendHome()
	p.checkDone()
}

// attemptOver implements retrier.
func (p *GoroutinePool) attemptOver(j *Job) {
	p.loans.returned(j.runner.trial)
	p.sendHome()
}

// Stats implements Pool.
func (p *GoroutinePool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{
		Workers: p.loans.workers, Ready: p.staff() - p.initializing, Busy: p.running.length, Lent: p.loans.lent, Queued: p.queue.length,
		Running: p.running.length, Submitted: p.accepted, Started: uint64(p.started), Abandoned: p.abandoned,
	}
	p.outcomes.fill(&s)
	return s
}
