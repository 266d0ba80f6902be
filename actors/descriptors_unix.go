//go:build unix

package actors

import "golang.org/x/sys/unix"

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
