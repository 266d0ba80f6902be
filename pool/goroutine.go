package pool

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/stint-go/stint/actors"
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

// startFirst starts a runner and waits until it is ready.
func (p *GoroutinePool) startFirst() error {
	p.mu.Lock()
	p.startRunner()
	p.mu.Unlock()
	<-p.ready
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken
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

func (p *GoroutinePool) lock()   { p.mu.Lock() }
func (p *GoroutinePool) unlock() { p.mu.Unlock() }

// enqueue has a job wait for a runner. Under the lock.
func (p *GoroutinePool) enqueue(j *Job) {
	j.state, j.runner = jobQueued, nil
	p.queue.accept(j)
	if p.provide() {
		p.admission.leave(j)
	}
}

// provide sees to it that waiting jobs find runners, and reports whether the last
// of them need not wait for another job's end. Under the lock.
func (p *GoroutinePool) provide() bool {
	switch {
	case p.queue.length == 0:
	case p.queue.length > p.idle && p.mayStart():
		p.startRunner()
		return p.throttle.allows(p.queue.length)
	default:
		p.wake.Signal()
	}
	return p.queue.length <= p.idle && p.throttle.allows(p.queue.length)
}

// mayTake reports whether a runner may take a job, and counts it against the
// rate. Under the lock.
func (p *GoroutinePool) mayTake() bool { return p.queue.length > 0 && p.throttle.allow() }

// throttleRings is told that a job may begin, for which an idle runner waits.
func (p *GoroutinePool) throttleRings() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.throttle.rings()
	p.wake.Signal()
}

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

// sendHome has an idle runner end if there are too many. Under the lock.
func (p *GoroutinePool) sendHome() {
	if p.surplus() && p.idle > 0 {
		p.wake.Signal()
	}
}

// surplus reports whether there are more runners than may work, since fewer
// places are lent than were. Under the lock.
func (p *GoroutinePool) surplus() bool { return p.runners > p.loans.wanted() }

// mayStart reports whether another runner may be started now. After an
// initializer has failed, one at a time is tried. Under the lock.
func (p *GoroutinePool) mayStart() bool {
	return p.runners < p.loans.wanted() && p.broken == nil && p.delay == nil &&
		(p.setbacks.count == 0 || p.initializing == 0)
}

// startRunner starts a runner. Under the lock.
func (p *GoroutinePool) startRunner() {
	p.started++
	p.runners++
	r := &runner{pool: p, number: p.started}
	r.tally = p.insights.begin(r.event())
	if p.events.heard.Load() {
		p.events.tell(WorkerStarted{r.event()})
	}
	if p.config.Initializer != nil {
		p.initializing++
	} else {
		p.isReady(r)
	}
	go r.run() // Shutdown waits for it, unless it is abandoned
}

// isReady notes that a runner can work. Under the lock.
func (p *GoroutinePool) isReady(r *runner) {
	r.tally.ready = time.Now()
	if p.events.heard.Load() {
		p.events.tell(WorkerReady{r.event()})
	}
}

// startMissing starts the runners for which jobs wait. Under the lock.
func (p *GoroutinePool) startMissing() {
	for n := p.queue.length - p.idle; n > 0 && p.mayStart(); n-- {
		p.startRunner()
	}
}

// Stats implements Pool.
func (p *GoroutinePool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{
		Workers: p.loans.workers, Ready: p.runners - p.initializing, Busy: p.running.length, Lent: p.loans.lent, Queued: p.queue.length,
		Running: p.running.length, Submitted: p.accepted, Started: uint64(p.started), Abandoned: p.abandoned,
	}
	p.outcomes.fill(&s)
	return s
}

// Close implements Pool. It must not be called from within a task of the pool,
// which would wait for itself; there, use Shutdown with the task's context, or
// close in a goroutine.
func (p *GoroutinePool) Close() error { return p.Shutdown(context.Background(), Drain) }

// Shutdown implements Pool. It does not wait for abandoned goroutines.
func (p *GoroutinePool) Shutdown(ctx context.Context, mode ShutdownMode) error {
	defer p.contexts.close()
	return shutdown(ctx, mode, p.done, p.wind)
}

// wind begins a shutdown, or makes one that has begun harsher. It does not wait.
func (p *GoroutinePool) wind(mode ShutdownMode) (killed, cancelled int) {
	p.mu.Lock()
	p.phase = max(p.phase, phaseOf(mode))
	p.admission.close()
	var pending, hopeless []*Job
	if mode >= CancelPending {
		p.retries.barred = ErrShutdown
		pending = p.takeBackAll()
	}
	if mode == Kill {
		for p.running.length > 0 {
			j := p.running.first
			p.abandon(j, &verdict{cause: ErrShutdown})
			hopeless = append(hopeless, j)
		}
	}
	p.wake.Broadcast()
	p.checkDone()
	p.mu.Unlock()
	if mode == Kill {
		p.end(ErrShutdown)
	}
	for _, j := range pending {
		p.retries.drop(j, ErrShutdown)
	}
	for _, j := range hopeless {
		p.failAbandoned(j)
	}
	return len(hopeless), len(pending)
}

// takeBackAll takes back every job that does not run. Under the lock.
func (p *GoroutinePool) takeBackAll() (jobs []*Job) {
	for p.queue.length > 0 {
		j := p.queue.next()
		p.takeBack(j)
		jobs = append(jobs, j)
	}
	return append(jobs, p.retries.endAll()...)
}

// checkDone ends a shutdown when nobody works any more. Under the lock.
func (p *GoroutinePool) checkDone() {
	if p.phase != phaseOpen && p.live == 0 && p.runners == 0 {
		p.waiting.alarm.Stop()
		p.throttle.stop()
		if p.delay != nil {
			p.delay.Stop()
		}
		p.events.end()
		closeOnce(p.done)
	}
}

// takeBack removes a job that does not run; it may have run before. It is then
// for the caller to drop. Under the lock.
func (p *GoroutinePool) takeBack(j *Job) bool {
	switch j.state {
	case jobQueued:
		p.queue.remove(j)
		p.admission.leave(j)
	case jobBetween:
		p.retries.end(j)
	default:
		return false
	}
	j.state, j.withdrawn = jobDone, !j.retry.hasBegun()
	return true
}

// abandon gives the runner of a running job up; the caller has failAbandoned
// judge the job. Under the lock.
func (p *GoroutinePool) abandon(j *Job, v *verdict) {
	j.unlink()
	j.state, j.verdict = jobJudged, v
	j.runner.lane = p.queue.serves(nil, j.runner.lane)
	p.attemptOver(j)
	j.runner.account(j)
	j.runner.running.Store(nil) // what it tells from now on is told to nobody
	p.discard(j.runner, v.actorsCause())
}

// discard gives a runner up. Under the lock.
func (p *GoroutinePool) discard(r *runner, cause actors.Cause) {
	r.abandoned = true
	p.insights.end(r.tally)
	p.abandoned++
	p.runners--
	p.events.exited(r.event(), actors.Report{Cause: cause})
	p.provide()
	p.checkDone()
}

// failAbandoned ends the context of a job whose runner was given up, and settles
// it or has it tried again.
func (p *GoroutinePool) failAbandoned(j *Job) {
	r := j.runner
	j.verdict.stack = r.stackOf(j.verdict) // before the task is told to end
	if cancel := r.cancel; cancel != nil {
		cancel(j.verdict.cause)
	}
	run := r.describe(j, time.Since(r.begun))
	err := j.verdict.error(run, j.limits, nil)
	if j.retry == nil {
		p.retries.finish(j, run, err)
	} else {
		p.retries.attempted(j, run, err, true)
	}
}

// contextEnded ends a job whose caller's context has ended.
func (p *GoroutinePool) contextEnded(j *Job) {
	cause := context.Cause(j.ctx)
	p.stop(j, cause, &verdict{cause: cause})
}

// queueTimeRings cancels what has waited for too long to be begun.
func (p *GoroutinePool) queueTimeRings() {
	p.mu.Lock()
	all := p.waiting.expire(p.takeBack)
	p.mu.Unlock()
	for _, l := range all {
		p.retries.drop(l.job, l.err)
	}
}

// withdraw implements owner, for Future.Cancel: the future settles itself.
func (p *GoroutinePool) withdraw(j *Job) bool {
	p.mu.Lock()
	taken := !j.retry.hasBegun() && p.takeBack(j)
	withdrawn := j.withdrawn
	p.mu.Unlock()
	if taken {
		p.retries.withdraw(j)
	}
	return withdrawn
}

// begun implements owner: the future is told when its task begins.
func (p *GoroutinePool) begun(*Job) bool { return false }

// kill implements owner, for Future.Kill: the task's context ends, and its
// goroutine is given up.
func (p *GoroutinePool) kill(j *Job) bool { return p.stop(j, ErrKilled, &verdict{}) }

// stop ends a job in whatever state it is: for a cause if it does not run, with a
// verdict if it does; false if it is over.
func (p *GoroutinePool) stop(j *Job, cause error, v *verdict) bool {
	p.mu.Lock()
	taken, running := p.takeBack(j), j.state == jobSent
	judged := j.state == jobJudged && j.retry != nil
	switch {
	case running:
		p.abandon(j, v)
	case judged:
		j.retry.bar(cause)
	}
	p.mu.Unlock()
	if running {
		p.failAbandoned(j)
	}
	if taken {
		p.retries.drop(j, cause)
	}
	return taken || running || judged
}

// expire gives a runner up whose attempt has had its time, unless that is over.
func (p *GoroutinePool) expire(r *runner, trial *Job, v *verdict) {
	p.mu.Lock()
	j := r.job
	running := r.running.Load() == trial && !r.abandoned
	if running {
		p.abandon(j, v)
	}
	p.mu.Unlock()
	if running {
		p.failAbandoned(j)
	}
}
