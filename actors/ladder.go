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
		p.self.send(kill{l, cause})
		return
	}
	if p.blame.condemn(cause) {
		p.signal(syscall.SIGKILL)
	}
}

// Spare calls off a ladder before its KILL. The owner is answered by Spared or,
// if it is too late, by Exited. TERM cannot be unsent: a process that dies of it
// later still has the ladder's cause. Without a ladder Spare does nothing.
func (p *Process) Spare() { p.self.send(spare{}) }

// climb is one run of a ladder.
type climb struct {
	asked, termed bool
	deadline      time.Time // of KILL
	timer         *time.Timer
}

func (p *Process) onKill(m kill) {
	if p.watch == nil {
		p.withdrawn.Store(true)
		p.waiting = append(p.waiting, m)
		return
	}
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
	p.climb.take(p, m.ladder, cause)
}

// take takes the rungs of l that were not taken yet.
func (k *climb) take(p *Process, l Ladder, cause Cause) {
	if deadline := time.Now().Add(l.Grace); k.timer == nil || deadline.Before(k.deadline) {
		k.stop()
		k.deadline, k.timer = deadline, p.after(l.Grace, graceOver{k})
	}
	if l.Ask && !k.asked {
		k.asked = true
		p.blame.ask(false)
		p.owner.Ask(cause)
	}
	if l.Term && !k.termed {
		k.termed = true
		p.blame.ask(true)
		p.signal(syscall.SIGTERM)
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
	p.mindChannel()
}

func (p *Process) endClimb() {
	if p.climb != nil {
		p.climb.stop()
		p.climb = nil
	}
}

// signal goes to the group, or to the process alone on systems without groups.
func (p *Process) signal(sig syscall.Signal) {
	err := p.watch.SignalGroup(sig)
	if errors.Is(err, errors.ErrUnsupported) {
		err = p.watch.Signal(sig)
	}
	if err == nil || errors.Is(err, os.ErrProcessDone) || errors.Is(err, errors.ErrUnsupported) {
		return // gone already, or a rung that this system does not have
	}
	p.supervisor.logger.Error("cannot signal a process",
		slog.Int("pid", p.PID()), slog.String("signal", sig.String()), slog.Any("error", err))
}
