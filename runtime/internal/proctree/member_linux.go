package proctree

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Member is a process of a tree that was stopped. It can be signalled whatever there
// is left of descriptors, until the tree is closed.
type Member struct {
	Process
	Group int // its process group

	pidfd   int       // -1: this system has none
	since   time.Time // it was told to stop
	before  bool      // it was stopped when it was found
	refuses bool      // it cannot be stopped
}

// hold opens what a member is signalled by. The error is os.ErrProcessDone if it is
// gone, or the system's.
func hold(p Process) (Member, error) {
	pidfd, err := unix.PidfdOpen(p.PID, 0)
	switch err {
	case nil:
	case unix.ENOSYS, unix.EPERM, unix.EACCES, unix.ENODEV, unix.EINVAL:
		pidfd = -1
	default:
		return Member{}, Gone(os.NewSyscallError("pidfd_open", err))
	}
	s, err := ReadStat(p.PID) // it was p that was opened
	if err == nil && s.Start != p.Start {
		err = os.ErrProcessDone
	}
	m := Member{Process: p, Group: s.Group, pidfd: pidfd, before: s.State == 'T'}
	if err != nil {
		m.release()
	}
	return m, err
}

// Signal sends sig to the process. The error is os.ErrProcessDone if it is gone, or
// the system's.
func (m *Member) Signal(sig syscall.Signal) error {
	if m.pidfd >= 0 {
		return Gone(os.NewSyscallError("pidfd_send_signal", unix.PidfdSendSignal(m.pidfd, sig, nil, 0)))
	}
	s, err := ReadStat(m.PID)
	switch {
	case err != nil:
		return err
	case s.Start != m.Start:
		return os.ErrProcessDone
	}
	return Gone(os.NewSyscallError("kill", unix.Kill(m.PID, sig))) // above 1: sacred
}

// activity is what a process does.
type activity uint8

const (
	still   activity = iota // each of its threads is stopped or has ended
	blocked                 // one waits for the kernel: most likely it was stopped in a vfork, and waits for its child
	moving
)

// activity returns what the process does: the most that any of its threads does.
func (m *Member) activity() (does activity, err error) {
	tasks, err := threads(m.PID)
	if err != nil {
		return still, err
	}
	for _, task := range tasks {
		line, err := os.ReadFile(task + "/stat")
		if err != nil {
			if err = Gone(err); err == os.ErrProcessDone {
				continue
			}
			return moving, err
		}
		s, err := ParseStat(line)
		if err != nil {
			return moving, err
		}
		switch s.State {
		case 'T', 't', 'Z', 'X':
		case 'D':
			does = max(does, blocked)
		default:
			return moving, nil
		}
	}
	return does, nil
}

func (m *Member) release() {
	if m.pidfd >= 0 {
		_ = unix.Close(m.pidfd)
		m.pidfd = -1
	}
}
