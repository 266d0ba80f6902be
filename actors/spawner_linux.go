package actors

import "syscall"

// sysProcAttr: a group of its own, so that descendants can be killed with the
// process, and SIGKILL when the spawner's thread ends, which is when this
// program does.
func sysProcAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
