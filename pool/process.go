package pool

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime"
	"github.com/stint-go/stint/runtime/worker"
)

// ProcessPool runs tasks in worker processes, which are this program once more.
// A worker that hangs is killed at its task's deadline and replaced, and only
// that task is concerned.
type ProcessPool struct {
	config     Config
	limits     limits // of tasks that have none of their own
	host       *runtime.Host
	release    func() error
	supervisor *actors.Supervisor
	admission  admission
	initialize *worker.Initialization // nil: nothing
	started    atomic.Int64           // numbers the workers
	output     sinks                  // of all workers
	links      sync.WaitGroup         // the workers' channels
	ready      chan struct{}          // closed when the first worker is, or the pool is broken
	drained    chan struct{}          // closed when a shutdown has nothing left to wait for
	done       chan struct{}          // closed when nothing of the pool is left

	mu       sync.Mutex
	phase    phase
	broken   error // a *BrokenError, once workers cannot be started
	queue    queue // accepted, for any worker
	waiting  queueClock
	throttle throttle
	members  map[*member]struct{}
	corpses  map[*member]struct{} // were killed, and have not ended
	active   int                  // members that are given work
	loans    loans
	staffing
	idle     []*member // ready, nothing to do; the last one is warmest
	offered  []*member // have been offered jobs since the lock was taken
	ahead    int       // jobs that stand behind another one at their worker
	slow     int       // workers that have not begun their first job for a while
	chunks   int       // of the jobs at workers, those of several items
	live     int       // accepted and not done
	accepted uint64    // ever
	recycled uint64    // workers
	wasReady bool      // a worker was, once
	lastWord string    // standard error of the last worker that did not become ready

	exited func(reactor.Exit) // is told of the end of a worker that was ready; nil: nobody

	outcomes outcomes
	contexts contexts
	retries  retries
	insights insights
	events   events
	closeErr error // of the host; set before done is closed
}

var _ Pool = (*ProcessPool)(nil)

// drainTimeout is how long after a worker's death the end of its channel may
// keep its jobs waiting. It comes at once, unless the reader is decoding a large
// result, or a descendant that did not execute anything holds the channel; what
// the worker had finished is in there.
const drainTimeout = 5 * time.Second

// phase is how far a pool's shutdown has come.
type phase uint8

const (
	phaseOpen       phase = iota
	phaseDraining         // refuses tasks, but for those that its own tasks submit
	phaseCancelling       // refuses all, and cancels what has not begun
	phaseKilling          // ends what it has
)

func phaseOf(mode ShutdownMode) phase { return phaseDraining + phase(mode) }

// NewProcessPool starts a pool of worker processes and returns when the first is
// ready. The caller closes it. Errors: a *ConfigError; ErrNoMain, if the program
// did not call Main first; a *DepthError; a *BrokenError, if the workers cannot be started; a
// *runtime.StartError, if the shared host cannot.
func NewProcessPool(config Config) (*ProcessPool, error) {
	refuseInWorker()
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	if !mainCalled.Load() {
		return nil, ErrNoMain
	}
	if depth := worker.Depth() + 1; depth > MaxPoolDepth {
		return nil, &DepthError{Depth: depth}
	}
	p := &ProcessPool{
		config:    config,
		limits:    config.limits(),
		admission: newAdmission(config),
		output:    newSinks(config),
		host:      config.Host,
		release:   func() error { return nil },
		members:   make(map[*member]struct{}),
		corpses:   make(map[*member]struct{}),
		ready:     make(chan struct{}),
		drained:   make(chan struct{}),
		done:      make(chan struct{}),
	}
	if config.Initializer != nil {
		if p.initialize, err = config.Initializer.encode(config); err != nil {
			return nil, err
		}
	}
	p.contexts.over = p.contextEnded
	p.outcomes.events, p.outcomes.contexts = &p.events, &p.contexts
	p.staffing, p.loans = newStaffing(config)
	p.retries = retries{pool: p, outcomes: &p.outcomes, quarantine: config.Quarantine}
	if p.host == nil {
		if p.host, p.release, err = runtime.Share(); err != nil {
			return nil, err
		}
	}
	p.throttle = newThrottle(config.Rate, p.host.Reactor().NewAlarm(p.throttleRings))
	p.lull.bell = p.host.Reactor().NewAlarm(p.lullOver)
	p.resting.bell = p.host.Reactor().NewAlarm(p.restingRings)
	p.waiting = newQueueClock(p.host.Reactor().NewAlarm(p.queueTimeRings))
	if err := p.start(); err != nil {
		return nil, err
	}
	return p, nil
}

// start has the workers started and waits for the first.
func (p *ProcessPool) start() error {
	supervisor, err := p.host.Actors().Supervise(actors.Supervision{
		Name:         p.config.name,
		Workers:      p.asked,
		Prepare:      p.prepare,
		MaxFailures:  p.config.MaxFailures,
		Within:       p.config.FailureWindow,
		StartTimeout: p.startTimeout(),
		DrainTimeout: drainTimeout,
		Broken:       p.breakDown,
	})
	if err != nil {
		return errors.Join(err, p.release())
	}
	p.mu.Lock()
	p.supervisor = supervisor
	p.mu.Unlock()
	go p.conclude()
	<-p.ready
	p.mu.Lock()
	broken := p.broken
	p.mu.Unlock()
	if broken != nil {
		_ = p.Shutdown(context.Background(), Kill) // of workers whose initializers hang, too
	}
	return broken
}

// Submit implements Pool.
func (p *ProcessPool) Submit(j *Job) {
	argument, err := encodeArgument(j, p.config.MaxPayload)
	if err != nil {
		p.outcomes.refuse(j, err)
		return
	}
	j.argument = argument
	if err := p.admission.enter(j); err != nil {
		p.outcomes.refuse(j, err)
		return
	}
	p.admit(j, nil)
}

// admit queues a job, or refuses it: one from outside, for which there is room, or
// one that a running job, its parent, has submitted.
func (p *ProcessPool) admit(j, parent *Job) {
	p.contexts.enter(j)
	err := j.limits.enforceable()
	p.mu.Lock()
	if err == nil {
		err = p.accept(j, parent)
	}
	if err != nil {
		p.admission.leave(j)
		p.mu.Unlock()
		p.outcomes.refuse(j, err)
		return
	}
	p.unlock()
	if j.ctx.Err() != nil { // perhaps since before it was queued
		p.contextEnded(j)
	}
}

// accept queues a job, or says why not. Under the lock.
func (p *ProcessPool) accept(j, parent *Job) error {
	switch {
	case p.phase > phaseDraining, p.phase == phaseDraining && parent == nil:
		return ErrClosed // also if it has broken on its way down
	case p.broken != nil:
		return p.broken
	case parent != nil:
		if err := p.nest(j, parent); err != nil {
			return err
		}
	}
	j.owner = p
	j.completeLimits(&p.limits)
	p.waiting.add(j)
	p.accepted += uint64(j.open())
	p.live++
	p.enqueue(j)
	return nil
}

func (p *ProcessPool) lock() { p.mu.Lock() }

// enqueue has a job wait for a worker. Under the lock.
func (p *ProcessPool) enqueue(j *Job) {
	j.state, j.member = jobQueued, nil
	p.queue.accept(j)
	p.dispatch()
}

// Insights implements Pool.
func (p *ProcessPool) Insights() Insights {
	p.mu.Lock()
	defer p.mu.Unlock()
	running := make(map[*tally]time.Duration)
	for m := range p.members {
		if j := m.sent.first; j != nil && m.begun(j) {
			running[m.tally] = time.Since(m.current().begunAt.time())
		}
	}
	return p.insights.snapshot(running)
}

// Events implements Pool.
func (p *ProcessPool) Events(ctx context.Context) iter.Seq[Event] { return p.events.listen(ctx) }

// Stats implements Pool.
func (p *ProcessPool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{
		Workers: p.most, Lent: p.loans.lent, Queued: p.queue.tasks,
		Submitted: p.accepted, Started: uint64(p.started.Load()), Recycled: p.recycled,
		Unkillable: len(p.corpses),
	}
	p.outcomes.fill(&s)
	for m := range p.members {
		if m.active {
			s.Ready++
		} else if m.present() {
			s.Spare++
		}
		if m.sent.length > 0 {
			s.Busy++
		}
		for j := m.sent.first; j != nil; j = j.link.next {
			s.Running += j.open()
		}
	}
	return s
}
