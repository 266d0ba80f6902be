package subprocess

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime"
)

// Process is a command that was started. Its methods may be called from any
// goroutine.
//
// Nothing is to be done for it: it is reaped, its streams end and its descriptors
// are closed whether anyone waits or not, except those of Pipes, which are the
// caller's to close, or to have closed by [Process.Release].
type Process struct {
	cmd   Cmd
	host  *runtime.Host
	wires *wiring

	begun    chan struct{} // closed when the start has succeeded or failed
	startErr error         // these three are written before that
	actor    *actors.Process
	started  time.Time
	alarm    *reactor.Alarm // of the Timeout, or nil

	exited   chan struct{} // closed when the exit was seen
	report   actors.Report // these two are written before that
	stuck    *UnkillableError
	delay    *time.Timer   // OutputDelay's; or nil
	finished chan struct{} // closed when the streams have ended, too
	released atomic.Bool

	mu      sync.Mutex
	fed     bool        // there was an input
	over    bool        // the exit was seen
	open    int         // what finished waits for: the exit, each flow, the feed, the fall
	feeding bool        // the feed is one of them
	fall    *fall       // nil: nobody ends it
	strays  *StrayError // why not all of its tree was found; nil: it was
}

// Start starts a command and returns when it runs, or has failed to. The context
// is for the start alone; the process lives until it ends, its Timeout is over, or
// one of its methods ends it.
//
// The error is a [*ConfigError] or a [*StartError], which matches the context's cause
// if that has ended; then no process is left.
func Start(ctx context.Context, cmd Cmd) (*Process, error) {
	cmd, err := cmd.withDefaults()
	if err != nil {
		return nil, err
	}
	return start(ctx, cmd)
}

// PID returns the process id. Once the process has exited another may have it.
func (p *Process) PID() int { return p.actor.PID() }

// Stdin returns what writes to the standard input if that is a [Pipe], else nil.
// Close it to tell the command of the input's end.
func (p *Process) Stdin() io.WriteCloser { return orNil(p.wires.given[0]) }

// Stdout returns what reads the standard output if that is a [Pipe], else nil.
func (p *Process) Stdout() io.ReadCloser { return orNil(p.wires.given[1]) }

// Stderr returns what reads the standard error if that is a [Pipe], else nil.
func (p *Process) Stderr() io.ReadCloser { return orNil(p.wires.given[2]) }

func orNil(f *os.File) io.ReadWriteCloser {
	if f == nil {
		return nil
	}
	return f
}

// Done is closed when the process has exited, whether its streams have ended or
// not; or when it is given up: see [UnkillableError].
func (p *Process) Done() <-chan struct{} { return p.exited }

// Poll returns the exit if the process has exited. That of one that is given up is
// Unknown, with an error that matches [actors.ErrUnkillable]. It costs no system call.
func (p *Process) Poll() (reactor.Exit, bool) {
	select {
	case <-p.exited:
		return p.report.Exit, true
	default:
		return reactor.Exit{}, false
	}
}

// Wait waits for the exit. When the context ends before, the process goes on, and
// the error is a [*WaitError]. Of a process that SIGKILL does not end it is an
// [*UnkillableError], beside an exit that is Unknown. After Release it is [ErrReleased].
func (p *Process) Wait(ctx context.Context) (reactor.Exit, error) {
	if err := p.await(ctx, p.exited); err != nil {
		return reactor.Exit{}, err
	}
	if p.stuck != nil {
		return p.report.Exit, p.stuck
	}
	return p.report.Exit, nil
}

// await waits for done. What is done counts more than the context's end.
func (p *Process) await(ctx context.Context, done <-chan struct{}) error {
	if p.released.Load() {
		return ErrReleased
	}
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return &WaitError{Args: p.cmd.Args, PID: p.PID(), Err: context.Cause(ctx), err: ctx.Err()}
	}
}

// Signal sends sig to the process alone, never to a later one with its pid. The
// error matches os.ErrProcessDone after the exit.
func (p *Process) Signal(sig syscall.Signal) error {
	if p.released.Load() {
		return ErrReleased
	}
	return p.actor.Signal(sig)
}

// Terminate sends SIGTERM to the process alone, and Kill SIGKILL. See KillTree.
func (p *Process) Terminate() error { return p.Signal(syscall.SIGTERM) }

// Kill sends SIGKILL to the process. What is left of its group is killed when it
// has exited.
func (p *Process) Kill() error { return p.Signal(syscall.SIGKILL) }

// Stop stops the process's group as long as Continue is not called.
func (p *Process) Stop() error { return p.signalGroup(stopSignal) }

// Continue lets the process's group go on.
func (p *Process) Continue() error { return p.signalGroup(continueSignal) }

func (p *Process) signalGroup(sig syscall.Signal) error {
	if p.released.Load() {
		return ErrReleased
	}
	return p.actor.SignalGroup(sig)
}

// KillTree ends the process and all that it has started: by SIGTERM and, after that
// time, SIGKILL, or by SIGKILL alone for a grace of zero or less. That reaches the
// process's group, and what has left it by setsid(2) as long as its parents live. It
// returns at once.
func (p *Process) KillTree(grace time.Duration) { p.kill(grace, actors.Cause{Kind: actors.CauseKill}) }

// Release closes the ends of Pipes. It fails with [ErrAlive] before the process
// and its streams have ended; after it, everything fails with [ErrReleased], but
// Release itself.
func (p *Process) Release() error {
	select {
	case <-p.finished:
	default:
		return ErrAlive
	}
	if !p.released.Swap(true) {
		for _, f := range p.wires.given {
			closeFile(f)
		}
	}
	return nil
}
