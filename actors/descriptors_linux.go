package actors

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// descriptorList is what the system tells of the descriptors that are open: a
// directory, which is read again before each start. It is for one thread.
type descriptorList struct {
	dir    *os.File
	buffer []byte
	names  []string
	open   []int
}

func openDescriptorList() (*descriptorList, error) {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	return &descriptorList{dir: dir, buffer: make([]byte, 8<<10)}, nil
}

func (l *descriptorList) close() {
	if l != nil {
		_ = l.dir.Close()
	}
}

// read returns the descriptors that are open, until it is called again. Its cost
// follows from how many there are, not from how many there once were: the kernel's
// table of them never shrinks.
func (l *descriptorList) read() ([]int, error) {
	fd := int(l.dir.Fd())
	if _, err := unix.Seek(fd, 0, unix.SEEK_SET); err != nil {
		return nil, os.NewSyscallError("lseek", err)
	}
	l.open = l.open[:0]
	for {
		n, err := unix.ReadDirent(fd, l.buffer)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, os.NewSyscallError("getdents64", err)
		case n == 0:
			return l.open, nil
		}
		_, _, l.names = unix.ParseDirent(l.buffer[:n], -1, l.names[:0])
		for _, name := range l.names {
			if fd, err := strconv.Atoi(name); err == nil {
				l.open = append(l.open, fd)
			}
		}
	}
}
