//go:build unix

package reactor

import (
	"os"

	"golang.org/x/sys/unix"
)

// spareDescriptors is how many descriptors New may need at once: the epoll set,
// the probe's pidfd, and two for Go's netpoller, which starts with the first
// timer or pollable file of a program.
const spareDescriptors = 4

// ensureDescriptors fails when there are fewer left: where the netpoller cannot
// start, the runtime ends the program.
func ensureDescriptors() error {
	for range spareDescriptors {
		fd, err := unix.Open("/", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("open", err)
		}
		defer unix.Close(fd) // all are held at once
	}
	return nil
}
