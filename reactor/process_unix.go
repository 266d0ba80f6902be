//go:build unix

package reactor

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// usable fails for a process that cannot be watched as it was asked for. p.child
// is known by now.
func (p *process) usable() error {
	err := p.present()
	if err != nil || !p.group {
		return err
	}
	if !p.child && !p.owned {
		return ErrNotChild
	}
	if group, err := unix.Getpgid(p.pid); err == nil && group != p.pid && !p.left {
		return ErrNotLeader
	}
	return nil
}

// present fails when there is nothing to watch. A process that Watch or WatchChild was
// given need be no child by now: its pidfd may know a status that nobody could wait
// for (SIGCHLD ignored).
func (p *process) present() error {
	if p.origin == nil {
		if p.owned {
			return nil
		}
		if !p.child && kill(p.pid, 0) == os.ErrProcessDone {
			return os.ErrProcessDone
		}
		return nil
	}
	err := p.origin.WithHandle(func(uintptr) {}) // fails when it was waited for or released
	if errors.Is(err, os.ErrNoHandle) {
		err = p.origin.Signal(unix.Signal(0))
	}
	return err
}

// mine reports whether the pid still names the process that the watch began
// with, and that process is unreaped.
func (p *process) mine() bool {
	if p.child {
		if _, err := p.peek(); err == unix.ECHILD {
			return false
		}
	} else if kill(p.pid, 0) == os.ErrProcessDone {
		return false
	}
	return p.same()
}

// lost is the exit of a process whose status cannot be had.
func (p *process) lost() Exit {
	if p.child || p.owned {
		return unknown(ErrReapedElsewhere)
	}
	return unknown(ErrNotChild)
}
