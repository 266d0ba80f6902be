package reactor

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// handle is empty: origin, which holds the process handle, stays for good.
type handle struct{}

// identify opens a process that was named by its pid. Windows tells the exit
// code of any process to whoever holds its handle.
func (p *process) identify() error {
	if p.group {
		return errors.ErrUnsupported
	}
	p.child = true
	if p.origin != nil {
		return nil
	}
	origin, err := os.FindProcess(p.pid)
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return os.ErrProcessDone
	}
	p.origin = origin
	return err
}

func (p *process) adopt() {}

func (p *process) release() { _ = p.origin.Release() }

func (p *process) look() (Exit, finding) {
	over := false
	err := p.origin.WithHandle(func(h uintptr) {
		event, err := windows.WaitForSingleObject(windows.Handle(h), 0)
		over = err == nil && event == windows.WAIT_OBJECT_0
	})
	if err == nil && !over {
		return Exit{}, running
	}
	state, err := p.origin.Wait() // at once: it is over
	if err != nil {
		return unknown(err), ended
	}
	usage := &Usage{User: state.UserTime(), System: state.SystemTime()}
	return Exit{Kind: Exited, Code: state.ExitCode(), Usage: usage}, ended
}

// awaiter blocks a thread on the process handle.
func (p *process) awaiter() (func(), error) {
	origin := p.origin
	return func() {
		_ = origin.WithHandle(func(h uintptr) {
			_, _ = windows.WaitForSingleObject(windows.Handle(h), windows.INFINITE)
		})
	}, nil
}

// signal can do what os.Process.Signal can: os.Kill.
func (p *process) signal(sig syscall.Signal) error { return p.origin.Signal(sig) }

func (p *process) signalGroup(syscall.Signal) error { return errors.ErrUnsupported }

func signalName(sig syscall.Signal) string { return sig.String() }
