package reactor

import (
	"cmp"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
)

// handle is what Windows adds to a process: a handle of the watch's own, which
// knows the exit code of any process. No other process has the pid while it is open.
type handle struct{ open windows.Handle }

func (p *process) identify() (err error) {
	if p.group {
		return errors.ErrUnsupported
	}
	p.child = true
	if p.origin != nil {
		done := p.origin.WithHandle(func(h uintptr) { p.open, err = duplicate(windows.Handle(h)) })
		return cmp.Or(done, err)
	}
	const access = windows.SYNCHRONIZE | windows.PROCESS_QUERY_LIMITED_INFORMATION | windows.PROCESS_TERMINATE
	p.open, err = windows.OpenProcess(access, false, uint32(p.pid))
	if err == windows.ERROR_INVALID_PARAMETER {
		return os.ErrProcessDone
	}
	return os.NewSyscallError("OpenProcess", err)
}

func duplicate(h windows.Handle) (windows.Handle, error) {
	self := windows.CurrentProcess()
	err := windows.DuplicateHandle(self, h, self, &h, 0, false, windows.DUPLICATE_SAME_ACCESS)
	return h, os.NewSyscallError("DuplicateHandle", err)
}

func (p *process) adopt() { p.origin = nil }

func (p *process) release() { _ = windows.CloseHandle(p.open) }

func (p *process) look(bool) (Exit, finding) {
	if !p.over() {
		return Exit{}, running
	}
	var code uint32
	if err := windows.GetExitCodeProcess(p.open, &code); err != nil {
		return unknown(os.NewSyscallError("GetExitCodeProcess", err)), ended
	}
	return Exit{Kind: Exited, Code: int(code), Usage: p.usage()}, ended
}

func (p *process) over() bool {
	event, err := windows.WaitForSingleObject(p.open, 0)
	return err == nil && event == windows.WAIT_OBJECT_0
}

// usage returns nil when the system does not tell.
func (p *process) usage() *Usage {
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(p.open, &created, &exited, &kernel, &user) != nil {
		return nil
	}
	return &Usage{User: elapsed(user), System: elapsed(kernel)}
}

// elapsed converts a Filetime that is a length of time, in units of 100 ns.
func elapsed(t windows.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}

// awaiter blocks a thread on a process handle of its own: it may outlive the watch.
func (p *process) awaiter() (func(), error) {
	h, err := duplicate(p.open)
	if err != nil {
		return nil, err
	}
	return func() {
		defer windows.CloseHandle(h)
		_, _ = windows.WaitForSingleObject(h, windows.INFINITE)
	}, nil
}

// signal knows SIGKILL only, of which the exit code is 1.
func (p *process) signal(sig syscall.Signal) error {
	switch {
	case p.over():
		return os.ErrProcessDone
	case sig != syscall.SIGKILL:
		return errors.ErrUnsupported
	}
	err := windows.TerminateProcess(p.open, 1)
	if err != nil && p.over() { // meanwhile
		return os.ErrProcessDone
	}
	return os.NewSyscallError("TerminateProcess", err)
}

func (p *process) signalGroup(syscall.Signal) error { return errors.ErrUnsupported }

func signalName(sig syscall.Signal) string { return sig.String() }
