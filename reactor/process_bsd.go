//go:build unix && !linux

package reactor

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// handle is empty: a pid is all that there is, and it is safe for a child until
// it is reaped.
type handle struct{}

func (p *process) identify() error {
	_, err := p.peek()
	if p.group && err == errors.ErrUnsupported {
		return err
	}
	p.child = err != unix.ECHILD
	return p.usable()
}

func (p *process) adopt() { p.origin = nil }

func (p *process) release() {}

// peek reports whether a child can be reaped, and leaves it so. ECHILD: it is
// not a child, or somebody else has reaped it.
func (p *process) peek() (bool, error) { return waitable(p.pid, false) }

// same has nothing to tell two processes with one pid apart by.
func (p *process) same() bool { return true }

func (p *process) look(bool) (Exit, finding) {
	if p.observed {
		return p.lookUnreaped()
	}
	if p.group {
		// The group's id is certain to be its own only until the reap.
		if dead, _ := p.peek(); dead {
			_ = killGroup(p.pid, unix.SIGKILL)
		}
	}
	var status unix.WaitStatus
	var usage unix.Rusage
	pid, err := 0, error(unix.EINTR)
	for err == unix.EINTR {
		pid, err = unix.Wait4(p.pid, &status, unix.WNOHANG, &usage)
	}
	switch {
	case err != nil:
		return p.lookForeign()
	case pid == 0:
		return Exit{}, running
	}
	e := exitOf(syscall.WaitStatus(status))
	e.Usage = newUsage(&usage)
	return e, ended
}

// lookUnreaped asks about a process that is not to be reaped.
func (p *process) lookUnreaped() (Exit, finding) {
	dead, err := p.peek()
	switch {
	case err != nil:
		return p.lookForeign()
	case dead:
		return unknown(ErrObserved), ended
	}
	return Exit{}, running
}

// lookForeign asks about a process that there is nothing to reap of. A zombie
// still counts as running: it goes when its parent reaps it.
func (p *process) lookForeign() (Exit, finding) {
	if kill(p.pid, 0) != os.ErrProcessDone {
		p.child = false
		return Exit{}, running
	}
	return p.lost(), ended
}

// awaiter blocks a thread in the system's wait, which leaves the status to be reaped.
func (p *process) awaiter() (func(), error) {
	if _, err := p.peek(); err != nil {
		return nil, errUntellable
	}
	pid := p.pid
	return func() { _, _ = waitable(pid, true) }, nil
}

func (p *process) signal(sig syscall.Signal) error {
	if !p.mine() {
		return os.ErrProcessDone
	}
	return kill(p.pid, sig)
}

func (p *process) signalGroup(sig syscall.Signal) error {
	if !p.mine() {
		return os.ErrProcessDone
	}
	return killGroup(p.pid, sig)
}
