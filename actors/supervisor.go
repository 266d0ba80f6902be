package actors

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// Supervisor keeps as many processes as are wanted. Its methods may be called
// from any goroutine and do not block.
//
// Replacements follow from the processes that there are: whenever something has
// changed it starts as many as are missing, at the StartRate at most. Only starts that fail to become
// ready delay the next one and count towards giving up: a process that ends
// before it was ready, by itself or for CauseStart or CauseProtocol, a start
// that the system refuses, an error from Prepare. Starts that were under way
// together count once, and from a failure on until one becomes ready there is
// one try at a time: so a machine that is short of something for a moment breaks
// nothing, and a program that cannot start is not started in crowds. A process
// that leaves by itself within a second of becoming ready, and never worked,
// delays its replacement, too, but breaks nothing.
type Supervisor struct {
	system  *System
	cfg     Supervision
	logger  *slog.Logger
	self    address[supervisorMessage]
	running atomic.Int64 // kept by the process actors, for Live alone
	done    chan struct{}

	// The actor's own.
	want      int
	live      map[*Process]struct{} // starting or alive, and not retired: each takes one of the wanted places
	children  map[string]*Process   // live, or exited and not told yet; by the id of its actor
	intensity *intensity
	delay     *time.Timer // runs until starts may be tried again; nil: now
	rate      startRate
	failed    time.Time // when the last failure was counted; zero once one has become ready
	stopping  bool
	broken    bool
}

// Resize sets how many processes are wanted and starts those that lack; below
// zero is zero. Processes beyond that number are left to their owners.
func (v *Supervisor) Resize(n int) { v.self.send(resize{max(n, 0)}) }

// Stop ends the supervision: nothing is started any more, and every process gets
// the ladder. It returns at once; see Done. A further call escalates, as
// [Process.Kill] does.
func (v *Supervisor) Stop(l Ladder, cause Cause) { v.self.send(stop{l, cause}) }

// Done is closed when the supervisor was stopped, no process is left, and every
// owner has been told of its end.
func (v *Supervisor) Done() <-chan struct{} { return v.done }

// Live returns how many processes run: started, and their exit not yet seen.
func (v *Supervisor) Live() int { return int(v.running.Load()) }

func newSupervisor(s *System, cfg Supervision) *Supervisor {
	return &Supervisor{
		system:    s,
		cfg:       cfg,
		logger:    s.logger.With(slog.String("supervisor", cfg.Name)),
		done:      make(chan struct{}),
		live:      make(map[*Process]struct{}),
		children:  make(map[string]*Process),
		intensity: newIntensity(cfg.MaxFailures, cfg.Within),
		rate:      newStartRate(),
	}
}

func (v *Supervisor) receive(c cell, m supervisorMessage) {
	switch m := m.(type) {
	case resize:
		v.want = m.workers
	case becameReady:
		v.succeeded()
	case retired:
		delete(v.live, m.process)
	case vacated:
		v.succeeded()
		delete(v.live, m.process)
		switch {
		case m.flash:
			v.intensity.flash(time.Now())
			v.holdBack()
		case m.worked:
			v.intensity.worked()
		}
	case delayOver:
		v.delay = nil
	case pauseOver:
		v.rate.goOn()
	case stop:
		v.onStop(m)
	}
	v.reconcile(c)
}

// childEnded says that a process actor has ended: its owner was told.
func (v *Supervisor) childEnded(c cell, id string) {
	p := v.children[id]
	delete(v.children, id)
	delete(v.live, p)
	if p.failure != nil && !v.stopping && !v.broken {
		v.onFailure(p)
	}
	v.reconcile(c)
}

func (v *Supervisor) ended() {
	v.system.forget(v)
	close(v.done)
}

// reconcile makes what there is what there should be.
func (v *Supervisor) reconcile(c cell) {
	switch {
	case v.stopping:
		if len(v.children) == 0 {
			c.stop()
		}
	case v.broken, v.delay != nil:
	default:
		for len(v.live) < v.want && (v.failed.IsZero() || !v.starting()) && v.rate.allow(v.pauseOver) {
			v.start(c)
		}
	}
}

func (v *Supervisor) pauseOver() { v.self.send(pauseOver{}) }

// starting reports whether a start is under way.
func (v *Supervisor) starting() bool {
	for p := range v.live {
		if p.State() == Starting {
			return true
		}
	}
	return false
}

func (v *Supervisor) succeeded() {
	v.failed = time.Time{}
	v.intensity.succeeded(time.Now())
}

func (v *Supervisor) start(c cell) {
	p := &Process{system: v.system, keeper: v, name: v.cfg.Name, logger: v.logger, asked: time.Now()}
	p.self = spawnChild(c, v.system.engine, p)
	v.children[p.self.id()] = p
	v.live[p] = struct{}{}
	v.system.spawner.enqueue(&request{process: p, source: v.cfg.Prepare})
}

func (v *Supervisor) onStop(m stop) {
	v.stopping = true
	v.endDelay()
	k := kill{ladder: m.ladder, cause: m.cause, deadline: time.Now().Add(m.ladder.Grace), stop: true}
	for _, p := range v.children {
		p.self.send(k)
	}
}

func (v *Supervisor) onFailure(p *Process) {
	permanent := isPermanent(p.failure)
	if p.asked.Before(v.failed) && !permanent {
		return // it failed together with one that was counted
	}
	v.failed = time.Now()
	if v.intensity.failed(v.failed) || permanent {
		v.giveUp(&BrokenError{
			Name:     v.cfg.Name,
			Failures: len(v.intensity.failures),
			Within:   v.cfg.Within,
			Final:    permanent,
			Last:     p.failure,
		})
		return
	}
	d := v.holdBack()
	v.logger.Warn("a process did not become ready", slog.Any("error", p.failure), slog.Duration("next_try_in", d))
}

// holdBack delays the next start, unless one is delayed already.
func (v *Supervisor) holdBack() time.Duration {
	d := v.intensity.nextDelay()
	if v.delay == nil && !v.stopping && !v.broken {
		v.delay = time.AfterFunc(d, func() { v.self.send(delayOver{}) })
	}
	return d
}

func (v *Supervisor) giveUp(err *BrokenError) {
	v.broken = true
	v.endDelay()
	for p := range v.live {
		p.withdrawn.Store(true)
	}
	v.logger.Error("no more processes are started", slog.Any("error", err))
	v.cfg.Broken(err)
}

func (v *Supervisor) endDelay() {
	v.rate.goOn()
	if v.delay != nil {
		v.delay.Stop()
		v.delay = nil
	}
}
