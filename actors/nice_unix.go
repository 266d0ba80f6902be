//go:build unix

package actors

import (
	"errors"
	"os"
	"syscall"
)

const mostNice = 19

// renice makes a process that was started a moment ago less urgent. The group is
// meant, which is the process alone as yet, since on Linux the niceness of a
// process is that of one thread, and it may have several already; what it starts
// inherits it.
func renice(p *os.Process, nice int) error {
	if nice == 0 || p.Pid <= 1 {
		return nil
	}
	own, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		return os.NewSyscallError("getpriority", err)
	}
	err = syscall.Setpriority(syscall.PRIO_PGRP, p.Pid, min(niceness(own)+nice, mostNice))
	if errors.Is(err, syscall.ESRCH) {
		return nil // it has ended, which its watch tells
	}
	return os.NewSyscallError("setpriority", err)
}
