//go:build unix

package actors

import (
	"os"
	"syscall"
)

// killGroup kills a process that was started a moment ago and all that it has
// started. The caller has not reaped it, so the group's id is its own.
func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }
