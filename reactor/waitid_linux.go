package reactor

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// childStatus is the part of a siginfo_t that waitid(2) fills in. A pid of 0
// says that there is nothing to wait for yet.
type childStatus struct {
	code   int32 // how it ended: one of the CLD_ constants of sigaction(2)
	pid    int32
	status int32 // exit code or signal
}

const (
	cldExited = 1
	cldDumped = 3
)

func (p *process) waitid(options int, usage *unix.Rusage) (childStatus, error) {
	if p.fd >= 0 {
		return waitid(unix.P_PIDFD, p.fd, options, usage)
	}
	return waitid(unix.P_PID, p.pid, options, usage)
}

func waitid(idType, id, options int, usage *unix.Rusage) (childStatus, error) {
	var info unix.Siginfo
	err := error(unix.EINTR)
	for err == unix.EINTR {
		err = unix.Waitid(idType, id, &info, options, usage)
	}
	// The union of a siginfo_t follows three ints, aligned as a pointer is.
	const union = (3*unsafe.Sizeof(int32(0)) + unsafe.Alignof(uintptr(0)) - 1) &^ (unsafe.Alignof(uintptr(0)) - 1)
	child := (*struct{ pid, uid, status int32 })(unsafe.Add(unsafe.Pointer(&info), union))
	return childStatus{info.Code, child.pid, child.status}, err
}

func (s childStatus) exit() Exit {
	if s.code == cldExited {
		return Exit{Kind: Exited, Code: int(s.status)}
	}
	return Exit{Kind: Signalled, Signal: syscall.Signal(s.status), CoreDumped: s.code == cldDumped}
}

// readable reports whether fd can be read. A pidfd can once its process has
// ended, reaped or not.
func readable(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	err := error(unix.EINTR)
	for err == unix.EINTR {
		_, err = unix.Poll(fds, 0)
	}
	return fds[0].Revents&unix.POLLIN != 0
}
