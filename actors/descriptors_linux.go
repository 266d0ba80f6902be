package actors

import (
	"os"
	"strconv"
)

// openDescriptors returns those that are open in this program.
func openDescriptors() []int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return possibleDescriptors()
	}
	var open []int
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil {
			open = append(open, fd)
		}
	}
	return open
}
