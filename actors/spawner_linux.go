package actors

import "syscall"

// sysProcAttr: a group of its own, so that descendants can be killed with the
// process, and SIGKILL when the spawner's thread ends, which is when this
// program does.
func sysProcAttr(session bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: session, Setpgid: !session, Pdeathsig: syscall.SIGKILL}
}
