//go:build unix

package subprocess

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const supported = true

const (
	stopSignal     = syscall.SIGSTOP
	continueSignal = syscall.SIGCONT
)

// duplicate returns another descriptor of the file, to be closed by a start. That of
// a file that was closed is os.ErrClosed.
func duplicate(f *os.File) (*os.File, error) {
	const none = ^uintptr(0)
	fd, err := -1, os.ErrClosed
	if of := f.Fd(); of != none {
		fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0)
	}
	if err != nil {
		return nil, &os.PathError{Op: "duplicate", Path: f.Name(), Err: err}
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// readChunk reads what there is. The buffer is to be given back; nil: there is
// nothing yet. Nothing read and no error: the end.
func readChunk(fd uintptr) (chunk *[chunkSize]byte, n int, err error) {
	chunk = chunks.Get().(*[chunkSize]byte)
	for {
		n, err = unix.Read(int(fd), chunk[:])
		switch err {
		case nil:
			return chunk, n, nil
		case unix.EINTR:
		case unix.EAGAIN:
			chunks.Put(chunk)
			return nil, 0, nil
		default:
			return chunk, 0, os.NewSyscallError("read", err)
		}
	}
}
