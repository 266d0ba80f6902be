//go:build unix && !(linux && (amd64 || arm64))

package actors

import (
	"errors"
	"os"
	"syscall"

	"github.com/stint-go/stint/reactor"
)

// sysProcAttr: a group of its own, so that descendants can be killed with the
// process.
func sysProcAttr(session bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: session, Setpgid: !session}
}

// watchOptions: what is left of the group is killed when its leader has exited.
func watchOptions() []reactor.Option { return []reactor.Option{reactor.WithStartGroup()} }

// killStarted kills a process that was started a moment ago, also if it has left its
// group since, and what is in that group. The caller has not reaped it, so the group's
// id is its own; nor has he released it, which would leave the pid -1, to kill(2)
// every process.
func killStarted(p *os.Process) {
	if p.Pid > 1 {
		_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
	}
	_ = p.Kill()
}

// renice makes a process that was started a moment ago less urgent. The group is
// meant, which is the process alone as yet: it may have several threads already, and
// what it starts inherits it.
func renice(p *os.Process, nice int) error {
	if nice == 0 || p.Pid <= 1 {
		return nil
	}
	least, err := lessUrgent(nice)
	if err != nil {
		return err
	}
	err = syscall.Setpriority(syscall.PRIO_PGRP, p.Pid, least)
	if errors.Is(err, syscall.ESRCH) {
		return nil // it has ended, which its watch tells
	}
	return os.NewSyscallError("setpriority", err)
}
