package actors

import (
	"syscall"
	"time"

	"github.com/stint-go/stint/reactor"
)

func (p *Process) onExited(c cell, e reactor.Exit) {
	p.exit = &e
	if p.watch != nil { // else the start is not done: onStarted goes on
		p.drain(c)
	}
}

// drain waits for the end of the channel: what the process wrote before it
// exited is still to be read.
func (p *Process) drain(c cell) {
	p.state.Store(uint32(Draining))
	p.endDoom()
	p.inquire()
	p.vacate()
	p.enclosure.Ended(func() { p.self.send(enclosureOver{}) })
	if p.atEnd || p.keeper.drainTimeout() <= 0 {
		p.finish(c)
		return
	}
	p.limit(p.keeper.drainTimeout(), drainOverdue{})
}

// inquire finds out why the process was killed, if nobody here has done it.
func (p *Process) inquire() {
	if diedOf(*p.exit, syscall.SIGKILL) && !p.struck.Load() && p.blame.verdict(*p.exit).Kind == CauseNone {
		p.blame.explain(p.enclosure.Killed())
	}
}

// vacate takes the process, which has ended or is given up, from those that run.
func (p *Process) vacate() {
	p.blame.exit()
	p.endClimb()
	p.keeper.count(-1)
	p.system.leave(p)
	if p.readyAt.Load() != nil {
		p.keeper.tell(vacated{p, p.flash(), p.worked.Load()})
	}
}

// flashLimit is how long a process has to live after it became ready, for its
// replacement not to be delayed.
const flashLimit = time.Second

// flash reports whether a process that has exited left by itself a moment after
// it had become ready, and had never worked.
func (p *Process) flash() bool {
	return p.exit != nil && p.blame.verdict(*p.exit).Kind == CauseNone && !p.worked.Load() && p.exit.Time.Sub(*p.readyAt.Load()) < flashLimit
}

func (p *Process) finish(c cell) {
	if p.State() != Draining {
		return
	}
	p.state.Store(uint32(Exited))
	p.limit(0, nil)
	r := p.report(*p.exit)
	p.failure = startFailure(r)
	if why := p.owner.Exited(r); p.failure != nil && why != nil {
		p.failure = why
	}
	p.leave(c)
}

// leave ends the actor when its owner was told and nothing is left of what the
// process had started: whoever waits for the supervisor's end waits for that.
func (p *Process) leave(c cell) {
	if p.State() == Exited && p.emptied {
		c.stop()
	}
}

func (p *Process) report(e reactor.Exit) Report {
	r := Report{PID: p.PID(), Exit: e, Cause: p.blame.verdict(e), Started: p.startedAt, Drained: p.atEnd}
	if at := p.readyAt.Load(); at != nil {
		r.BecameReady, r.ReadyAt = true, *at
	}
	return r
}

// startFailure returns why the start that r ends has failed, or nil: the
// process had become ready, or was ended on purpose before it could.
func startFailure(r Report) error {
	if r.BecameReady || r.Cause.Kind != CauseNone && r.Cause.Kind != CauseMemory && !r.Cause.Kind.fault() {
		return nil
	}
	return &NotReadyError{PID: r.PID, Exit: r.Exit, After: r.Exit.Time.Sub(r.Started), Cause: r.Cause}
}
