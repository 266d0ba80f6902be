package actors

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/stint-go/stint/reactor"
)

// State is where a process is in its life.
type State uint8

const (
	Starting  State = iota // from the request to start it until it is ready
	Ready                  // it can work
	Busy                   // it works
	Draining               // it has exited; what it wrote is still being read
	Exited                 // its owner was told
	Abandoned              // it was killed and did not end; its owner was told
)

var stateNames = [...]string{"starting", "ready", "busy", "draining", "exited", "abandoned"}

// String returns the state's name in one word.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Process is one operating-system process and the actor that minds it. Its
// methods may be called from any goroutine, never block, and do nothing once
// the process has exited.
type Process struct {
	system    *System
	keeper    keeper
	name      string
	logger    *slog.Logger
	asked     time.Time // when its start was asked for
	self      address[processMessage]
	blame     blame
	state     atomic.Uint32 // a State; Busy is kept apart
	busy      atomic.Bool
	worked    atomic.Bool // was busy once
	struck    atomic.Bool // somebody here has sent SIGKILL, for a cause or without
	fate      fate
	readyAt   atomic.Pointer[time.Time] // nil: the owner has not said so
	withdrawn atomic.Bool               // the spawner need not start it any more

	// Written by the actor before the owner is told that the process started,
	// and never again.
	owner     Owner
	watch     *reactor.Watch
	startedAt time.Time
	enclosure Enclosure

	// The actor's own.
	exit    *reactor.Exit // nil: not seen
	stops   []kill        // of the keeper; they stand, before the start is done and after a Spare
	climb   *climb        // nil: no ladder runs
	doom    *doom         // nil: it was not killed
	atEnd   bool          // the channel has reached its end
	emptied bool          // the enclosure is over
	overdue *time.Timer
	failure error // why the start counts as failed; read by the supervisor when the actor has ended
}

// PID returns the process id. Once the process has exited, which may be
// DrainTimeout before its owner is told, another process may have it.
func (p *Process) PID() int { return p.watch.PID() }

// Name returns the name of the process's supervision or command.
func (p *Process) Name() string { return p.name }

// StartedAt returns when the process was started.
func (p *Process) StartedAt() time.Time { return p.startedAt }

// State returns where the process is in its life, as its actor sees it.
func (p *Process) State() State {
	s := State(p.state.Load())
	if s == Ready && p.busy.Load() {
		return Busy
	}
	return s
}

// Ready says that the process can work now. Only the first call counts; it may
// come as late as the last bytes of a process that has exited.
func (p *Process) Ready() {
	now := time.Now()
	if p.readyAt.CompareAndSwap(nil, &now) {
		p.self.send(ready{})
	}
}

// SetBusy notes whether the process works. It costs one atomic store.
func (p *Process) SetBusy(busy bool) {
	p.busy.Store(busy)
	if busy && !p.worked.Load() {
		p.worked.Store(true)
	}
}

// ChannelClosed says that the channel to the process has reached its end and
// nothing more will be read. A process that does not follow it within a second is
// killed with CauseProtocol, unless a ladder ends it anyway.
func (p *Process) ChannelClosed() { p.self.send(channelClosed{}) }

// Retire says that the process is to end soon, by its owner's Kill, and takes
// none of the places of its supervisor any more: another one is started in its
// place now, while it still works. A Resize that is called before by the same
// goroutine is heeded before.
func (p *Process) Retire() { p.keeper.tell(retired{p}) }

// closeLimit is how long a process may live without its channel. On an overloaded
// machine the news of an exit has taken more than half of it.
const closeLimit = time.Second

// receive is the state machine. A message that does not fit the state comes
// from a race that the state has won, and is dropped.
func (p *Process) receive(c cell, m processMessage) {
	switch m := m.(type) {
	case started:
		p.onStarted(c, m)
	case startFailed:
		p.onStartFailed(c, m)
	case ready:
		p.onReady()
	case channelClosed:
		p.onChannelClosed(c)
	case exited:
		p.onExited(c, m.exit)
	case kill:
		p.onKill(m)
	case spare:
		p.onSpare()
	case graceOver:
		p.onGraceOver(m)
	case killed:
		p.onKilled(m)
	case doomOver:
		p.onDoomOver(c)
	case startOverdue:
		p.onStartOverdue()
	case closeDue:
		p.onCloseDue()
	case closeOverdue:
		p.onCloseOverdue()
	case drainOverdue:
		p.finish(c)
	case enclosureOver:
		p.emptied = true
		p.leave(c)
	}
}

func (p *Process) childEnded(cell, string) {}

func (p *Process) ended() { p.keeper.processEnded() }

func (p *Process) onStarted(c cell, m started) {
	p.owner, p.watch, p.startedAt, p.enclosure = m.owner, m.watch, m.at, m.enclosure
	p.keeper.count(1)
	p.system.enter(p)
	if p.readyAt.Load() != nil {
		p.state.Store(uint32(Ready))
	} else {
		p.limit(p.keeper.startTimeout(), startOverdue{})
	}
	p.enclosure.Watched(p)
	p.owner.Started(p)
	if p.exit != nil {
		p.drain(c)
		return
	}
	for _, k := range p.stops {
		p.takeLadder(k)
	}
}

func (p *Process) onStartFailed(c cell, m startFailed) {
	p.failure = m.err
	p.state.Store(uint32(Exited))
	if m.owner != nil {
		m.owner.StartFailed(m.err)
	}
	c.stop()
}

func (p *Process) onReady() {
	switch p.State() {
	case Starting:
		p.state.Store(uint32(Ready))
		p.keeper.tell(becameReady{})
		p.limit(0, nil)
		p.mindChannel()
	case Draining:
		p.keeper.tell(vacated{p, p.flash(), p.worked.Load()})
	}
}

func (p *Process) onChannelClosed(c cell) {
	p.atEnd = true
	switch p.State() {
	case Starting, Ready, Busy:
		p.mindChannel()
	case Draining:
		p.finish(c)
	}
}

// mindChannel gives a process whose channel has ended a short time to follow:
// mostly its exit is on its way. After half of it the reactor is to look, should the
// system's word have been lost. A ladder that runs ends the process anyway.
func (p *Process) mindChannel() {
	if p.atEnd && p.climb == nil {
		p.limit(closeLimit/2, closeDue{})
	}
}

func (p *Process) onCloseDue() {
	if p.climb == nil && p.exit == nil {
		p.watch.Look()
		p.limit(closeLimit/2, closeOverdue{})
	}
}

func (p *Process) onStartOverdue() {
	if p.State() == Starting && p.readyAt.Load() == nil {
		p.Kill(Ladder{}, Cause{CauseStart, &StartTimeoutError{Limit: p.keeper.startTimeout()}})
	}
}

func (p *Process) onCloseOverdue() {
	if p.climb == nil && p.exit == nil {
		p.Kill(Ladder{}, Cause{CauseProtocol, errChannelClosed})
	}
}

// limit bounds what the process is doing now: after d the actor is told m. At
// most one such limit is set; a d of zero or less sets none.
func (p *Process) limit(d time.Duration, m processMessage) {
	if p.overdue != nil {
		p.overdue.Stop()
		p.overdue = nil
	}
	if d > 0 {
		p.overdue = p.after(d, m)
	}
}

func (p *Process) after(d time.Duration, m processMessage) *time.Timer {
	return time.AfterFunc(d, func() { p.self.send(m) })
}
