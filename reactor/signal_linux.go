package reactor

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func (p *process) signal(sig syscall.Signal) error {
	if p.fd >= 0 {
		return gone(unix.PidfdSendSignal(p.fd, sig, nil, 0))
	}
	if !p.mine() {
		return os.ErrProcessDone
	}
	return kill(p.pid, sig)
}

// signalGroup prefers the pidfd, which names the group for good (Linux 6.9).
// Before that EINVAL sends it to kill, which is safe while the leader is unreaped.
func (p *process) signalGroup(sig syscall.Signal) error {
	if p.fd >= 0 {
		err := unix.PidfdSendSignal(p.fd, sig, nil, unix.PIDFD_SIGNAL_PROCESS_GROUP)
		if err != unix.EINVAL {
			return gone(err)
		}
	}
	if !p.mine() {
		return os.ErrProcessDone
	}
	return killGroup(p.pid, sig)
}
