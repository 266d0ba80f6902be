//go:build unix

package actors

import (
	"os"

	"golang.org/x/sys/unix"
)

// onlyListed returns files with nil entries, which are closed in the child, for
// each descriptor that would arrive though it is not listed. All that Go opens
// is CLOEXEC; what C code opens, or what this program was started with, need not
// be. (What a C thread opens between this look and the fork is not seen.)
func onlyListed(files []*os.File) []*os.File {
	for fd := descriptorBound() - 1; fd >= len(files); fd-- {
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			return append(files[:len(files):len(files)], make([]*os.File, fd+1-len(files))...)
		}
	}
	return files
}

// descriptorLimit is a bound where the system tells none: what the program may
// open, or the first few thousand of that.
func descriptorLimit() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur > 4096 {
		return 4096
	}
	return int(limit.Cur)
}
