//go:build linux && (amd64 || arm64)

package fork

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// signalState is what a program needs to reset the child's signals. Only the
// program reads it in the child.
type signalState struct {
	mask     uint64 // of the thread that starts the child
	byItself action
}

// action is the kernel's struct sigaction; the zero value is the default action. It
// has the same size on both architectures.
type action struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

const (
	signals  = 64
	setSize  = 8 // of a set of signals, in bytes
	ignore   = 1 // SIG_IGN, as a handler
	everySig = ^uint64(0)
	setMask  = 2 // SIG_SETMASK
)

// block keeps all signals from this thread until restore is called.
func (s *signalState) block() syscall.Errno {
	every := everySig
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, setMask,
		uintptr(unsafe.Pointer(&every)), uintptr(unsafe.Pointer(&s.mask)), setSize, 0, 0)
	return errno
}

func (s *signalState) restore() {
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, setMask, uintptr(unsafe.Pointer(&s.mask)), 0, setSize, 0, 0)
}

// resetSignals gives each signal that is not ignored its default action, as
// execve(2) does, and then lets through those that the parent does.
func (p *Program) resetSignals(s *signalState) {
	byItself := Pointer(p, &s.byItself)
	for signal := uintptr(1); signal <= signals; signal++ {
		var now action
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, signal, 0, uintptr(unsafe.Pointer(&now)), setSize, 0, 0)
		if errno == 0 && now.handler > ignore {
			p.Try(unix.SYS_RT_SIGACTION, signal, byItself, 0, setSize)
		}
	}
	p.Try(unix.SYS_RT_SIGPROCMASK, setMask, Pointer(p, &s.mask), 0, setSize)
}
