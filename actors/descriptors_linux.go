package actors

import (
	"os"
	"strconv"
)

// openDescriptors returns the descriptors that are open. Its cost follows from how
// many there are, not from how many there once were: the kernel's table of them
// never shrinks.
func openDescriptors() []int {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return possibleDescriptors()
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return possibleDescriptors()
	}
	fds := make([]int, 0, len(names))
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil {
			fds = append(fds, fd)
		}
	}
	return fds
}
