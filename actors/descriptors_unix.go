//go:build unix

package actors

import (
	"os"

	"golang.org/x/sys/unix"
)

// onlyListed returns the Files with nil entries, which are closed in the child, for
// each descriptor that would arrive though it is not listed. All that Go opens
// is CLOEXEC; what C code opens, or what this program was started with, need not
// be. (What a C thread opens between this look and the fork is not seen.)
func (c *Command) onlyListed() []*os.File {
	files := c.Files
	listed := len(files)
	for _, fd := range c.openDescriptors() {
		if fd < len(files) {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			files = append(files[:listed:listed], make([]*os.File, fd+1-listed)...)
		}
	}
	return files
}

// openDescriptors returns those that are open in this program.
func (c *Command) openDescriptors() []int {
	list := c.descriptors
	if list == nil {
		opened, err := openDescriptorList()
		if err != nil {
			return possibleDescriptors()
		}
		defer opened.close()
		list = opened
	}
	open, err := list.read()
	if err != nil {
		return possibleDescriptors()
	}
	return open
}

// possibleDescriptors is for where the system tells none: what the program may
// open, or the first few thousand of that.
func possibleDescriptors() []int {
	bound := 4096
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < 4096 {
		bound = int(limit.Cur)
	}
	fds := make([]int, bound)
	for fd := range fds {
		fds[fd] = fd
	}
	return fds
}
