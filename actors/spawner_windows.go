package actors

import (
	"os"
	"syscall"
)

func sysProcAttr() *syscall.SysProcAttr { return nil }

// killGroup kills the process; there are no groups.
func killGroup(p *os.Process) { _ = p.Kill() }
