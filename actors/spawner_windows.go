package actors

import (
	"errors"
	"os"
	"syscall"

	"github.com/stint-go/stint/reactor"
)

func sysProcAttr(bool) *syscall.SysProcAttr { return nil }

// watchOptions: there are no groups.
func watchOptions() []reactor.Option { return nil }

// killStarted kills the process alone.
func killStarted(p *os.Process) { _ = p.Kill() }

// onlyListed has nothing to add: Go passes on what is listed and no more.
func (c *Command) onlyListed() []*os.File { return c.Files }

func renice(_ *os.Process, nice int) error {
	if nice == 0 {
		return nil
	}
	return errors.ErrUnsupported
}
