package reactor

import (
	"cmp"
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// handle is what Linux adds to a process.
type handle struct {
	fd    int    // its pidfd while the pidfd back end has it, else -1
	born  int    // the pidfd that it was given to WatchChild with, until adopt; else -1
	start uint64 // its start time once that was read: no later process with its pid has the same
}

func (p *process) identify() error {
	p.fd = -1
	if p.origin != nil || !p.owned {
		p.born = -1
	}
	_, err := p.peek()
	p.child = err == nil
	return p.usable()
}

// adopt notes the start time where there is no pidfd to tell the process from a
// later one.
func (p *process) adopt() {
	if p.fd < 0 {
		_ = p.same()
	}
	p.origin = nil
	p.release()
}

func (p *process) release() {
	if p.born >= 0 {
		_ = unix.Close(p.born)
		p.born = -1
	}
}

// openPidfd returns a new pidfd of p, which must not be just some later process
// with p's pid.
func (p *process) openPidfd() (int, error) {
	if fd := p.born; fd >= 0 {
		p.born = -1
		return fd, nil
	}
	if p.origin != nil {
		fd, err := dupPidfd(p.origin)
		if !errors.Is(err, os.ErrNoHandle) {
			return fd, err
		}
	}
	fd, err := unix.PidfdOpen(p.pid, 0)
	if err != nil {
		return -1, err
	}
	if !p.is(fd) {
		_ = unix.Close(fd)
		return -1, unix.ESRCH
	}
	return fd, nil
}

// is reports whether fd, which was opened by pid, is of p, as far as that can be known.
func (p *process) is(fd int) bool {
	if p.child {
		if _, err := waitid(unix.P_PIDFD, fd, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil); err != nil {
			return false
		}
	}
	return p.start == 0 || p.same()
}

func dupPidfd(p *os.Process) (fd int, err error) {
	fd = -1
	handleErr := p.WithHandle(func(h uintptr) {
		fd, err = unix.FcntlInt(h, unix.F_DUPFD_CLOEXEC, 0)
	})
	return fd, cmp.Or(handleErr, err)
}

// peek reports whether a child can be reaped, and leaves it so. ECHILD: it is
// not a child, or somebody else has reaped it.
func (p *process) peek() (bool, error) {
	status, err := p.waitid(unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return status.pid != 0, err
}

func (p *process) look(told bool) (Exit, finding) {
	if p.group || p.fd < 0 {
		dead, err := p.peek()
		switch {
		case err != nil:
			return p.lookForeign()
		case p.fd < 0 && (dead || told || !p.child) && !p.same(): // the pid went to another child of this program
			return p.lost(), ended
		case !dead:
			p.child = true // perhaps only now: adopted
			return Exit{}, running
		}
	}
	if p.group {
		// The group's id is certain to be its own only until the reap.
		_ = p.signalGroup(unix.SIGKILL)
	}
	options := unix.WEXITED | unix.WNOHANG
	if p.observed {
		options |= unix.WNOWAIT
	}
	var usage unix.Rusage
	status, err := p.waitid(options, &usage)
	switch {
	case err != nil:
		return p.lookForeign()
	case status.pid == 0:
		return Exit{}, running
	}
	e := status.exit()
	e.Usage = newUsage(&usage)
	return e, ended
}

// lookForeign asks about a process that there is nothing to reap of: it was
// never our child, or somebody else has reaped it.
func (p *process) lookForeign() (Exit, finding) {
	if p.fd < 0 {
		if p.alive() {
			p.child = false
			return Exit{}, running
		}
		return p.lost(), ended
	}
	if !readable(p.fd) {
		return Exit{}, running
	}
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
	err := unix.IoctlPidfdInfo(p.fd, &info)
	if err == nil && info.Mask&unix.PIDFD_INFO_EXIT == 0 {
		return Exit{}, unreaped
	}
	if p.group {
		_ = p.signalGroup(unix.SIGKILL)
	}
	if err != nil { // ENOTTY, EINVAL before Linux 6.13, ESRCH before 6.15
		return p.lost(), ended
	}
	return exitOf(syscall.WaitStatus(info.Exit_code)), ended
}

// alive reports whether the process that the watch began with still runs, from
// its pid alone.
func (p *process) alive() bool {
	s, err := readStat(p.pid)
	switch {
	case err == nil:
		return p.started(s) && !s.dead()
	case p.gone(err):
		return false
	}
	return kill(p.pid, 0) != os.ErrProcessDone // there is no descriptor left, or no /proc
}

// gone reports whether err, of reading about the pid, says that nobody had it at that
// moment. Who has it right afterwards is somebody else.
func (p *process) gone(err error) bool {
	return p.start != 0 && (errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH)) // else there may be no /proc
}

// same reports whether the pid names the process that the watch began with.
// Where nothing can be read (no descriptor left, no /proc) its word has to do.
func (p *process) same() bool {
	s, err := readStat(p.pid)
	if err != nil {
		return !p.gone(err)
	}
	return p.started(s)
}

// started compares start times; the first one that is seen is the process's own.
func (p *process) started(s procStat) bool {
	if p.start == 0 {
		p.start = s.start
	}
	return p.start == s.start
}

// awaiter blocks a thread in waitid, which leaves the status to be reaped.
func (p *process) awaiter() (func(), error) {
	if !p.child {
		return nil, errUntellable
	}
	pid := p.pid
	return func() {
		_, _ = waitid(unix.P_PID, pid, unix.WEXITED|unix.WNOWAIT, nil)
	}, nil
}
