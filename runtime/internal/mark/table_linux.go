package mark

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/runtime/internal/proctree"
)

// Table lists the processes of the machine that bear marks. It holds two
// descriptors, so that it needs no more when there are none left. It is for one
// goroutine at a time.
type Table struct {
	proc    *os.File
	reserve *os.File // given up for a pidfd when nothing else is left; nil: it is lost for now
	buffer  []byte
}

// Open opens the table. It fails where there is no /proc, or that of another pid
// namespace.
func Open() (*Table, error) {
	self, err := os.Readlink("/proc/self")
	if err != nil {
		return nil, err
	}
	if self != strconv.Itoa(os.Getpid()) {
		return nil, errors.New("/proc is that of another pid namespace")
	}
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	t := &Table{proc: proc, buffer: make([]byte, 32<<10)}
	if t.reserve, err = os.Open(os.DevNull); err != nil {
		return nil, errors.Join(err, proc.Close())
	}
	return t, nil
}

// Close gives the descriptors back.
func (t *Table) Close() {
	_ = t.proc.Close()
	if t.reserve != nil {
		_ = t.reserve.Close()
	}
}

// Each calls f for each process that bears a mark, zombies included. Who forks
// and ends while the list is read may be missed together with his child; see Calm.
// An error says that the list is not whole.
func (t *Table) Each(f func(pid int, m Mark)) error {
	fd := int(t.proc.Fd())
	if _, err := unix.Seek(fd, 0, unix.SEEK_SET); err != nil {
		return fmt.Errorf("seek /proc: %w", err)
	}
	var names []string
	for {
		n, err := unix.ReadDirent(fd, t.buffer)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return fmt.Errorf("read /proc: %w", err)
		case n == 0:
			return nil
		}
		_, _, names = unix.ParseDirent(t.buffer[:n], -1, names[:0])
		for _, name := range names {
			pid, err := strconv.Atoi(name)
			if err != nil || pid <= 1 {
				continue
			}
			if m, ok := Of(pid); ok {
				f(pid, m)
			}
		}
	}
}

// Kill kills the process that has pid and bears m, and no other. A zombie that is a child of this
// program it reaps. It fails for want of a descriptor, or of the right to.
func (t *Table) Kill(pid int, m Mark) (State, error) {
	fd, err := t.openPidfd(pid)
	switch {
	case err == unix.ESRCH:
		return Gone, nil
	case err == unix.ENOSYS, err == unix.EPERM, err == unix.EACCES, err == unix.EINVAL, err == unix.ENODEV:
		return t.killByPID(pid, m) // no pidfds here
	case err != nil:
		return Lives, fmt.Errorf("pidfd_open %d: %w", pid, err)
	}
	defer t.closePidfd(fd)
	// The mark is read now that the pidfd is held: if it is another process's, since
	// the pid was used again, then the pidfd's own process is gone.
	if now, ok := Of(pid); !ok || now != m {
		return Gone, nil
	}
	if ended(fd) {
		Reap(pid)
		return Zombie, nil
	}
	return outcome(unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0))
}

func outcome(err error) (State, error) {
	switch err {
	case nil:
		return Lives, nil
	case unix.ESRCH:
		return Gone, nil
	}
	return Lives, fmt.Errorf("kill: %w", err)
}

// killByPID is kill without a pidfd: the pid would have to be used again in the
// microsecond after its process was looked at.
func (t *Table) killByPID(pid int, m Mark) (State, error) {
	stat, err := proctree.ReadStat(pid)
	switch {
	case err == os.ErrProcessDone:
		return Gone, nil
	case err != nil:
		return Lives, err
	case stat.Ended():
		Reap(pid)
		return Zombie, nil
	}
	if now, ok := Of(pid); !ok || now != m {
		return Gone, nil
	}
	return outcome(unix.Kill(pid, unix.SIGKILL))
}

// ended reports whether the process of a pidfd has: then it can be read.
func ended(fd int) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	err := error(unix.EINTR)
	for err == unix.EINTR {
		_, err = unix.Poll(fds, 0)
	}
	return fds[0].Revents&unix.POLLIN != 0
}

// openPidfd gives the reserve up when there is no other descriptor.
func (t *Table) openPidfd(pid int) (int, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if (err == unix.EMFILE || err == unix.ENFILE) && t.reserve != nil {
		_ = t.reserve.Close()
		t.reserve = nil
		fd, err = unix.PidfdOpen(pid, 0)
	}
	return fd, err
}

func (t *Table) closePidfd(fd int) {
	_ = unix.Close(fd)
	if t.reserve == nil {
		t.reserve, _ = os.Open(os.DevNull) // if it fails, it is tried again
	}
}
