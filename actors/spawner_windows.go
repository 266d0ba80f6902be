package actors

import (
	"os"
	"syscall"

	"github.com/stint-go/stint/reactor"
)

func sysProcAttr(bool, int) *syscall.SysProcAttr { return nil }

// watchOptions: there are no groups.
func watchOptions() []reactor.Option { return nil }

// killStarted kills the process alone.
func killStarted(p *os.Process) { _ = p.Kill() }

// onlyListed has nothing to add: Go passes on what is listed and no more.
func (c *Command) onlyListed() []*os.File { return c.Files }
