package actors

import (
	"errors"
	"log/slog"
	"os"
	"syscall"
	"time"
)

// Ladder says how a process is ended: step by step, or at once. The zero value
// is KILL at once. TERM and KILL go to the process's group.
type Ladder struct {
	Ask   bool          // tell the owner to ask the work, at once
	Term  bool          // send SIGTERM, at once
	Grace time.Duration // then send SIGKILL, after this time
}

// Kill ends the process and returns at once. The owner hears of its success by
// Exited.
//
// With the zero Ladder, SIGKILL has been sent when Kill returns. Otherwise the
// ladder runs in the process's actor. A further call escalates: it takes the
// rungs that were not taken yet and can shorten the time that is left, not
// lengthen it. The cause of the first call stands.
func (p *Process) Kill(l Ladder, cause Cause) {
	if l != (Ladder{}) {
		p.blame.accuse(cause) // now, so that it stands against a KILL that overtakes the message
		p.self.send(kill{ladder: l, cause: cause, deadline: time.Now().Add(l.Grace)})
		return
	}
	if p.blame.condemn(cause) {
		p.self.send(killed{at: time.Now(), err: p.signal(syscall.SIGKILL)})
	}
}

// Spare calls off a ladder before its KILL. The owner is answered by Spared or,
// if it is too late, by Exited. TERM cannot be unsent: a process that dies of it
// later still has the ladder's cause. Without a ladder Spare does nothing. The
// ladder of a [Supervisor.Stop] is not called off: it begins anew, with the time
// that it has left.
func (p *Process) Spare() { p.self.send(spare{}) }

// Dump has a Go program print the stacks of all its goroutines to standard error,
// and end by that: it sends SIGQUIT, to the process alone. It is for one that a
// ladder is about to kill, and that is not to be spared any more; the exit then
// has the ladder's cause. Where the system has no such signal nothing happens.
func (p *Process) Dump() { _ = p.watch.Signal(syscall.SIGQUIT) }

// climb is one run of a ladder.
type climb struct {
	asked, termed bool
	deadline      time.Time // of KILL
	timer         *time.Timer
}

func (p *Process) onKill(m kill) {
	if m.stop {
		p.withdrawn.Store(true)
		p.stops = append(p.stops, m)
	}
	if p.watch != nil { // else the start is not done: onStarted goes on
		p.takeLadder(m)
	}
}

// takeLadder begins a ladder, or joins it with the one that runs.
func (p *Process) takeLadder(m kill) {
	if m.ladder == (Ladder{}) {
		p.Kill(m.ladder, m.cause)
		return
	}
	cause, ok := p.blame.accuse(m.cause)
	if !ok {
		return
	}
	if p.climb == nil {
		p.climb = &climb{}
	}
	p.climb.take(p, m, cause)
}

// take takes the rungs of m that were not taken yet.
func (k *climb) take(p *Process, m kill, cause Cause) {
	if k.timer == nil || m.deadline.Before(k.deadline) {
		k.stop()
		k.deadline, k.timer = m.deadline, p.after(time.Until(m.deadline), graceOver{k})
	}
	if m.ladder.Ask && !k.asked {
		k.asked = true
		p.blame.ask(false)
		p.owner.Ask(cause)
	}
	if m.ladder.Term && !k.termed {
		k.termed = true
		p.blame.ask(true)
		_ = p.signal(syscall.SIGTERM) // KILL follows
	}
}

func (k *climb) stop() {
	if k.timer != nil {
		k.timer.Stop()
	}
}

func (p *Process) onGraceOver(m graceOver) {
	if m.climb == p.climb { // else it was called off while the message was on its way
		p.Kill(Ladder{}, Cause{})
	}
}

func (p *Process) onSpare() {
	if p.climb == nil || !p.blame.pardon() {
		return
	}
	p.endClimb()
	p.owner.Spared()
	for _, k := range p.stops {
		p.takeLadder(k)
	}
	p.mindChannel()
}

func (p *Process) endClimb() {
	if p.climb != nil {
		p.climb.stop()
		p.climb = nil
	}
}

// Signal sends sig to the process alone. It is no ladder: what comes of it counts
// as the process's own end. The error is a *reactor.WatchError, which matches
// os.ErrProcessDone after the exit.
func (p *Process) Signal(sig syscall.Signal) error {
	p.strike(sig)
	return p.sent(sig, p.watch.Signal(sig))
}

// SignalGroup sends sig to the process's group, as Signal does to the process.
func (p *Process) SignalGroup(sig syscall.Signal) error {
	p.strike(sig)
	return p.sent(sig, p.watch.SignalGroup(sig))
}

// strike notes that SIGKILL is about to be sent.
func (p *Process) strike(sig syscall.Signal) {
	if sig == syscall.SIGKILL {
		p.struck.Store(true)
	}
}

// sent passes err on, and has a process that got KILL waited for.
func (p *Process) sent(sig syscall.Signal, err error) error {
	if sig == syscall.SIGKILL && err == nil {
		p.self.send(killed{at: time.Now()})
	}
	return err
}

// signal goes to the group. To the process itself goes what did not reach its
// group, because the system has none or the process has left it; and KILL in any
// case, as a process that has left its group may have left others there. That it
// is gone already, or that this system has no such rung, is no error.
func (p *Process) signal(sig syscall.Signal) error {
	err := p.watch.SignalGroup(sig)
	if err != nil || sig == syscall.SIGKILL {
		err = p.watch.Signal(sig)
	}
	if err == nil || errors.Is(err, os.ErrProcessDone) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	p.logger.Error("cannot signal a process",
		slog.Int("pid", p.PID()), slog.String("signal", sig.String()), slog.Any("error", err))
	return err
}
