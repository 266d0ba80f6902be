//go:build unix && !(linux && (amd64 || arm64))

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
	for _, fd := range openDescriptors() {
		if fd < len(files) {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			files = append(files[:listed:listed], make([]*os.File, fd+1-listed)...)
		}
	}
	return files
}
