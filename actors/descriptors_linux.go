package actors

import (
	"io"
	"os"
	"strconv"
)

// descriptorList is what the system tells of the descriptors that are open: a
// directory, which can be read again and again.
type descriptorList struct{ dir *os.File }

func openDescriptorList() (*descriptorList, error) {
	dir, err := os.Open("/proc/self/fd")
	return &descriptorList{dir}, err
}

func (l *descriptorList) close() {
	if l != nil {
		_ = l.dir.Close()
	}
}

// read returns the descriptors that are open. Its cost follows from how many there
// are, not from how many there once were: the kernel's table of them never shrinks.
func (l *descriptorList) read() ([]int, error) {
	if _, err := l.dir.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	names, err := l.dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	fds := make([]int, 0, len(names))
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil {
			fds = append(fds, fd)
		}
	}
	return fds, nil
}
