package actors

import "syscall"

// sysProcAttr: a group of its own, so that descendants can be killed with the
// process, and SIGKILL when the spawner's thread ends, which is when this
// program does. It begins its life in the control group, if there is one, so that
// nothing that it does can come before that.
func sysProcAttr(session bool, group int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Setsid: session, Setpgid: !session, Pdeathsig: syscall.SIGKILL,
		UseCgroupFD: group >= 0, CgroupFD: group,
	}
}
