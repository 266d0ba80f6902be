//go:build unix

package actors

import (
	"os"
	"syscall"
)

const mostNice = 19

// lessUrgent returns this thread's niceness and nice more.
func lessUrgent(nice int) (int, error) {
	own, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		return 0, os.NewSyscallError("getpriority", err)
	}
	return min(niceness(own)+nice, mostNice), nil
}
