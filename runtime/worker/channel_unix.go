//go:build unix

package worker

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// The descriptors that a worker finds open when it starts, beside the three
// standard ones.
const (
	channelFD = 3 // its end of the channel
	claimsFD  = 4 // the claim table
)

// socketPair makes a channel: the host's end, non-blocking and in Go's poller,
// and the worker's, which is only handed on. Both are closed on exec.
func socketPair(f Faults) (host, child *os.File, err error) {
	if err := fault(f, "socketpair"); err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	syscall.ForkLock.RLock() // where SOCK_CLOEXEC is not known, no fork may come between
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
		return nil, nil, os.NewSyscallError("fcntl(O_NONBLOCK)", err)
	}
	return os.NewFile(uintptr(fds[0]), "stint-channel"), os.NewFile(uintptr(fds[1]), "stint-channel-worker"), nil
}

// mapShared maps a part of a file that both sides hold.
func mapShared(file *os.File, offset, size int) ([]byte, error) {
	mapping, err := unix.Mmap(int(file.Fd()), int64(offset), size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return mapping, os.NewSyscallError("mmap", err)
}

func unmapShared(mapping []byte) error { return os.NewSyscallError("munmap", unix.Munmap(mapping)) }

// isReset says that the other side is gone and had not read everything.
func isReset(err error) bool { return errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE) }

// stop stops a process.
func stop(p *os.Process) error { return p.Signal(unix.SIGSTOP) }

// hangUp ends both directions of a channel.
func hangUp(socket *os.File) { _ = unix.Shutdown(channelFD, unix.SHUT_RDWR) }

// writeOnce writes what a non-blocking socket takes at once.
func writeOnce(fd uintptr, p []byte) int {
	for {
		n, err := unix.Write(int(fd), p)
		if err != unix.EINTR {
			return max(n, 0)
		}
	}
}
