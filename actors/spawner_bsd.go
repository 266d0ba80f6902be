//go:build unix && !linux

package actors

import "syscall"

// sysProcAttr: a group of its own, so that descendants can be killed with the
// process.
func sysProcAttr(session bool, _ int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: session, Setpgid: !session}
}
