package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime/internal/proctree"
)

// Process names one operating-system process for good: by its pid and the time of
// its start, which no later process with that pid shares. It holds nothing of the
// system's, need not be released, and can be compared and used as the key of a
// map. The zero Process is none. Its methods may be called from any goroutine.
type Process struct {
	pid   int
	start uint64 // in the system's own units
}

// Find returns the process that has the pid now, whoever started it. It costs
// some 20 µs, as does each later question.
//
// The error is an [*Error]: [os.ErrProcessDone] when there is none,
// [errors.ErrUnsupported] where the system's processes cannot be told apart.
func Find(pid int) (Process, error) {
	start, _, err := look(pid)
	if err != nil {
		return Process{}, &Error{pid, "find", err}
	}
	return Process{pid, start}, nil
}

// Self returns the process that this program is.
func Self() (Process, error) { return Find(os.Getpid()) }

// PID returns the process id. Another process may have it once this one is gone.
func (p Process) PID() int { return p.pid }

// Started returns when the process was started, to 10 ms.
func (p Process) Started() time.Time { return startTime(p.start) }

// String returns "process 4711".
func (p Process) String() string { return fmt.Sprintf("process %d", p.pid) }

// Running reports whether the process has not ended yet. One that has ended does
// not run, also while its parent has still to reap it. One of which nothing can be
// read, as for want of descriptors, is taken to run.
func (p Process) Running() bool { return !errors.Is(p.check(), os.ErrProcessDone) }

// Signal sends sig to the process, and to none that has its pid after it. A pid
// of 1 or less is refused.
//
// The error is an [*Error]: [os.ErrProcessDone] after the exit, and [ErrReused]
// as well if the pid is another's by now; [reactor.ErrInvalidPID]; or the system's.
func (p Process) Signal(sig syscall.Signal) error { return p.wrap("signal", p.signal(sig)) }

func (p Process) signal(sig syscall.Signal) error {
	if p.pid <= 1 {
		return reactor.ErrInvalidPID
	}
	handle, err := os.FindProcess(p.pid) // a pidfd where there is one: it names whom it has found …
	if err != nil {
		return err
	}
	defer handle.Release()
	if err := p.check(); err != nil { // … which is this process if that still has the pid
		return err
	}
	return handle.Signal(sig)
}

// Terminate asks the process to end, by SIGTERM. Errors are those of Signal.
func (p Process) Terminate() error { return p.Signal(syscall.SIGTERM) }

// Kill ends the process, by SIGKILL. Errors are those of Signal.
func (p Process) Kill() error { return p.Signal(syscall.SIGKILL) }

// look finds the process that has the pid.
func look(pid int) (start uint64, ended bool, err error) {
	s, err := proctree.ReadStat(pid)
	return s.Start, s.Ended(), err
}

// named fails when the pid does not name the process any more. That of one that
// has ended does until its parent has reaped it.
func (p Process) named() error {
	start, _, err := look(p.pid)
	if err == nil && start != p.start {
		err = ErrReused
	}
	return err
}

// check fails when the process has ended.
func (p Process) check() error {
	start, ended, err := look(p.pid)
	switch {
	case err != nil:
		return err
	case start != p.start:
		return ErrReused
	case ended:
		return os.ErrProcessDone
	}
	return nil
}

func (p Process) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{p.pid, op, err}
}
