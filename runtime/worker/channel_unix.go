//go:build unix

package worker

import (
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// The descriptors that a worker finds open when it starts, beside the three
// standard ones.
const (
	inFD     = 3 // the socket that it reads
	outFD    = 4 // the socket that it writes to
	claimsFD = 5 // the claim table
)

// openChannel makes a channel: the host's end, and what the worker has for inFD and outFD,
// which is only handed on. All are closed on exec. What was opened is returned in any
// case.
func openChannel(f Faults) (host channel, in, out *os.File, err error) {
	ends, err := socketPair(f)
	if err != nil {
		return host, in, out, err
	}
	host.out, in = os.NewFile(uintptr(ends[0]), "stint-out"), os.NewFile(uintptr(ends[1]), "stint-worker-in")
	if err := setNonblock(ends[0]); err != nil { // only now: what does not block, os.NewFile puts into the poller
		return host, in, out, err
	}
	if ends, err = socketPair(f); err != nil {
		return host, in, out, err
	}
	err = setNonblock(ends[0])
	host.in, out = os.NewFile(uintptr(ends[0]), "stint-in"), os.NewFile(uintptr(ends[1]), "stint-worker-out")
	return host, in, out, err
}

func setNonblock(fd int) error {
	return os.NewSyscallError("fcntl(O_NONBLOCK)", unix.SetNonblock(fd, true))
}

func socketPair(f Faults) (ends [2]int, err error) {
	if err := fault(f, "socketpair"); err != nil {
		return ends, os.NewSyscallError("socketpair", err)
	}
	syscall.ForkLock.RLock() // where SOCK_CLOEXEC is not known, no fork may come between
	defer syscall.ForkLock.RUnlock()
	ends, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return ends, os.NewSyscallError("socketpair", err)
	}
	unix.CloseOnExec(ends[0])
	unix.CloseOnExec(ends[1])
	return ends, nil
}

// close ends both directions, and unblocks whoever reads or writes.
func (c channel) close() {
	for _, socket := range []*os.File{c.in, c.out} {
		if socket != nil {
			hangUp(socket)
			socket.Close()
		}
	}
}

// hangUp ends both directions of a socket, whoever has it.
func hangUp(socket *os.File) {
	control(socket, func(fd int) { _ = unix.Shutdown(fd, unix.SHUT_RDWR) })
}

// control calls f with the file's descriptor, if it is open.
func control(file *os.File, f func(fd int)) {
	if raw, err := file.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { f(int(fd)) })
	}
}

// patiently returns a function that writes to a host's socket and waits for room, and what
// is to be called after the last use of it. It waits in the poller, by a second descriptor
// of the socket; where there is none to be had, on a thread of its own.
func patiently(socket *os.File, try func([]byte) (int, error)) (write func([]byte) (int, error), done func()) {
	second, err := -1, error(nil)
	control(socket, func(fd int) { second, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0) })
	if second < 0 || err != nil {
		return func(p []byte) (n int, err error) {
			for {
				written, err := try(p[n:])
				n += written
				if !errors.Is(err, errFull) {
					return n, err
				}
				awaitRoom(socket)
			}
		}, func() {}
	}
	file := os.NewFile(uintptr(second), "stint-out")
	return file.Write, func() { file.Close() }
}

// awaitRoom returns when the socket takes more or has an end, or sooner.
func awaitRoom(socket *os.File) {
	control(socket, func(fd int) { _, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1) })
}

// mapShared maps a part of a file that both sides hold.
func mapShared(file *os.File, offset, size int) ([]byte, error) {
	mapping, err := unix.Mmap(int(file.Fd()), int64(offset), size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	return mapping, os.NewSyscallError("mmap", err)
}

func unmapShared(mapping []byte) error { return os.NewSyscallError("munmap", unix.Munmap(mapping)) }

// stop stops a process.
func stop(p *os.Process) error { return p.Signal(unix.SIGSTOP) }

// readOnce reads what there is at once; where that is nothing, it has an end.
func readOnce(file *os.File, p []byte) (n int, err error) {
	control(file, func(fd int) {
		for err = unix.EINTR; err == unix.EINTR; {
			n, err = unix.Read(fd, p)
		}
	})
	if n > 0 {
		return n, nil
	}
	return 0, io.EOF
}

// writeOnce writes what a socket takes at once.
func writeOnce(fd uintptr, p []byte) (int, error) {
	for {
		n, err := unix.Write(int(fd), p)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN, err == nil && n < len(p):
			return max(n, 0), errFull
		default:
			return max(n, 0), os.NewSyscallError("write", err)
		}
	}
}
