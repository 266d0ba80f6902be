package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/stint-go/stint/reactor"
)

// ErrUnkillable is matched by every [UnkillableError].
var ErrUnkillable = errors.New("actors: killed, and not gone")

// Witness is an [Owner] that wants to know when a process does not end though it was
// killed. One that is no Witness hears Exited of it, with an exit that is Unknown and
// has the *UnkillableError as its Err.
type Witness interface {
	Owner
	// Unkillable says that the process got SIGKILL and has not ended within
	// [Config.KillTimeout]: it is given up, and this is the last thing that is told of
	// it, instead of Exited. What it holds (memory, files, locks, a port) it may hold on
	// to, but it does not run the program's code any more, unless the error says that
	// KILL could not be sent. Should it end after all, the reactor reaps it.
	Unkillable(err *UnkillableError)
}

// Mourner is an [Owner] that wants to know when a process that was given up has
// ended after all.
type Mourner interface {
	Owner
	// Gone says that it has, and was reaped. It comes after what says that it was given
	// up, if the reactor is still there, as a rule on its goroutine. It must not block.
	Gone(e reactor.Exit)
}

// UnkillableError says that a process was killed and has not ended. It matches
// [ErrUnkillable], and what Err and the cause's error match.
type UnkillableError struct {
	PID   int
	After time.Duration // since SIGKILL
	Cause Cause         // why it was killed
	Err   error         // why SIGKILL could not be sent; nil: it was
}

// Error implements error.
func (e *UnkillableError) Error() string {
	after := e.After.Round(time.Millisecond)
	if e.Err != nil {
		return fmt.Sprintf("process %d runs on %v after it was to be killed: %v; end it with the rights of its user", e.PID, after, e.Err)
	}
	return fmt.Sprintf("process %[1]d has not ended within %[2]v of SIGKILL: the kernel holds it, as a rule for a disk or a network file "+
		"system that does not answer, for a debugger, or in a frozen cgroup (see /proc/%[1]d/status, wchan and cgroup); "+
		"it ends when that lets go of it", e.PID, after)
}

// Is reports whether target is [ErrUnkillable].
func (e *UnkillableError) Is(target error) bool { return target == ErrUnkillable }

// Unwrap returns the reasons that there are.
func (e *UnkillableError) Unwrap() []error {
	var reasons []error
	for _, err := range []error{e.Err, e.Cause.Err} {
		if err != nil {
			reasons = append(reasons, err)
		}
	}
	return reasons
}

// doom is the time that a killed process has to end.
type doom struct {
	since time.Time
	err   error // of SIGKILL
	late  bool  // half of the time is over
	timer *time.Timer
}

// onKilled begins to wait for the end of a process that got KILL. Another KILL
// begins nothing anew.
func (p *Process) onKilled(m killed) {
	if p.exit != nil || p.doom != nil {
		return
	}
	p.doom = &doom{since: m.at, err: m.err}
	p.doom.timer = p.after(p.system.killTimeout/2, doomOver{})
}

// onDoomOver gives the process up at the second ring. Were there one ring, a program
// that was itself stopped for so long would hear it before the exit that it missed.
func (p *Process) onDoomOver(c cell) {
	switch {
	case p.exit != nil:
	case !p.doom.late:
		p.doom.late = true
		p.watch.Look() // it may have ended, and the system's word been lost
		p.doom.timer = p.after(p.system.killTimeout/2, doomOver{})
	case p.fate.abandon(): // else the exit is on its way
		p.giveUp(c)
	}
}

func (p *Process) endDoom() {
	if p.doom != nil {
		p.doom.timer.Stop()
	}
}

// giveUp is the end of a process's actor, and not of the process.
func (p *Process) giveUp(c cell) {
	p.state.Store(uint32(Abandoned))
	p.limit(0, nil)
	p.vacate()
	p.enclosure.Condemned()
	err := &UnkillableError{PID: p.PID(), After: time.Since(p.doom.since), Cause: p.blame.verdict(reactor.Exit{}), Err: p.doom.err}
	p.logger.Error("a process does not end", slog.Any("error", err))
	r := p.report(reactor.Exit{PID: err.PID, Time: time.Now(), Err: err})
	p.failure = startFailure(r)
	if w, ok := p.owner.(Witness); ok {
		w.Unkillable(err)
	} else if why := p.owner.Exited(r); p.failure != nil && why != nil {
		p.failure = why
	}
	if e := p.fate.tell(); e != nil {
		p.bury(*e)
	}
	c.stop()
}

// fate decides between the exit of a process and its being given up.
type fate struct {
	mu        sync.Mutex
	exit      *reactor.Exit // nil: not seen
	abandoned bool
	told      bool // its owner knows that it was given up
}

// end notes the exit, and returns to whom it is to be told: to the actor, or, if the
// process was given up and its owner knows that, to the mourner.
func (f *fate) end(e reactor.Exit) (toActor, toMourner bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.exit = &e
	return !f.abandoned, f.told
}

// abandon notes that the process is given up. False: its exit is on its way.
func (f *fate) abandon() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.abandoned = f.exit == nil
	return f.abandoned
}

// tell notes that the owner knows, and returns the exit if it came meanwhile.
func (f *fate) tell() *reactor.Exit {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = true
	return f.exit
}

// exitSeen is told by the reactor.
func (p *Process) exitSeen(e reactor.Exit) {
	switch toActor, toMourner := p.fate.end(e); {
	case toActor:
		p.self.send(exited{e})
	case toMourner:
		p.bury(e)
	}
}

// bury tells of the end of a process that was given up. Its actor has ended.
func (p *Process) bury(e reactor.Exit) {
	p.enclosure.Ended(abandoned)
	p.logger.Info("a process that was given up has ended", slog.Int("pid", e.PID), slog.String("exit", e.String()))
	if m, ok := p.owner.(Mourner); ok {
		m.Gone(e)
	}
}
