package actors

import (
	"fmt"
	"sync"
	"syscall"

	"github.com/stint-go/stint/reactor"
)

// CauseKind says who or what ended a process.
type CauseKind uint8

const (
	CauseNone     CauseKind = iota // its own exit, or a signal from outside
	CauseDeadline                  // its work was over its deadline
	CauseKill                      // somebody here asked for it
	CauseShutdown                  // its supervisor was stopped
	CauseProtocol                  // it broke the protocol, or closed its channel and stayed
	CauseStart                     // it did not become ready
	CauseRecycled                  // it had served its time
	CauseMemory                    // it was over Limits.Memory; the Err is a *MemoryError
)

var causeNames = [...]string{"none", "deadline", "kill", "shutdown", "protocol", "start", "recycled", "memory"}

// String returns the cause's name in one word.
func (k CauseKind) String() string {
	if int(k) < len(causeNames) {
		return causeNames[k]
	}
	return fmt.Sprintf("CauseKind(%d)", uint8(k))
}

// fault tells the causes that find fault with the process. They explain an exit
// even if the process left before it could be killed for them.
func (k CauseKind) fault() bool { return k == CauseProtocol || k == CauseStart }

// Cause is why a process was ended.
type Cause struct {
	Kind CauseKind
	Err  error // what there is to say beyond the kind; may be nil
}

// String returns the kind and, where there is one, the error.
func (c Cause) String() string {
	if c.Err == nil {
		return c.Kind.String()
	}
	return c.Kind.String() + ": " + c.Err.Error()
}

// blame keeps the answer to "why did it end?" while killers race with one
// another, with a pardon and with the exit itself.
type blame struct {
	mu     sync.Mutex
	cause  Cause // the first that was given; it stands
	asked  bool  // the process was asked or got TERM for it
	termed Cause // why TERM was sent; what was sent cannot be unsent, so this survives a pardon
	killed bool  // KILL was sent or is about to be: too late for a pardon
	exited bool  // the exit was seen: too late for a kill
}

// accuse gives a cause. It returns the one that stands, and whether the process
// is there to be asked: neither killed nor known to have ended.
func (b *blame) accuse(cause Cause) (standing Cause, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.record(cause)
	return b.cause, !b.killed && !b.exited
}

// condemn gives a cause and rules a pardon out. It returns whether the process
// is there to be killed.
func (b *blame) condemn(cause Cause) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.record(cause)
	b.killed = true
	return !b.exited
}

// record must be called with the lock held.
func (b *blame) record(cause Cause) {
	if b.cause.Kind != CauseNone || b.exited && !cause.Kind.fault() {
		return
	}
	if cause.Kind == CauseNone {
		cause.Kind = CauseKill
	}
	b.cause = cause
}

// ask notes that the process was told to end, by TERM or otherwise.
func (b *blame) ask(term bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = true
	if term {
		b.termed = b.cause
	}
}

// pardon takes the cause back unless it is too late.
func (b *blame) pardon() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.killed || b.exited {
		return false
	}
	b.cause, b.asked = Cause{}, false
	return true
}

// exit notes that the process has ended.
func (b *blame) exit() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.exited = true
}

// explain gives what was found out about a SIGKILL that nobody here has sent.
func (b *blame) explain(cause Cause) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cause.Kind == CauseNone {
		b.cause = cause
	}
}

// verdict returns the cause of the exit e. A process that got nothing but KILL
// and did not die of it had left by itself before the KILL came.
func (b *blame) verdict(e reactor.Exit) Cause {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.cause.Kind.fault(), b.asked, e.Kind == reactor.Unknown, diedOf(e, syscall.SIGKILL):
		return b.cause
	case diedOf(e, syscall.SIGTERM):
		return b.termed
	default:
		return Cause{}
	}
}

func diedOf(e reactor.Exit, sig syscall.Signal) bool {
	return e.Kind == reactor.Signalled && e.Signal == sig
}
