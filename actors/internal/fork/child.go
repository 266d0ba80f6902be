//go:build linux && (amd64 || arm64)

package fork

import (
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Child is a process that was started.
type Child struct {
	// The assembly and the kernel know where these three are.
	inside atomic.Uint32 // not 0 as long as it shares this program's memory
	errno  uint32        // of the call that failed
	failed uintptr       // that call's address; 0: none has

	program Program
	pidfd   int32
	args    cloneArgs
	signals signalState
	pid     int
}

// clone starts a child, in which it does not return, that carries out the calls from
// the first one on. It is the raw system call: the error is a negative number.
//
//go:noescape
func clone(number, a1, a2, a3, a4, a5 uintptr, first *call, c *Child) (pid uintptr)

// noClone3 is set when clone3 turns out to be missing (before Linux 5.5, with what is
// asked of it here) or refused (by the seccomp filters of many containers).
var noClone3 atomic.Bool

// Start starts a child that carries out the program, which the caller has no more use
// for then. group is an open control group of version 2 in which it is to begin, or -1.
// The thread that calls should be locked and last as long as the child, if that asks
// for a parent-death signal. Start takes some 30 µs and does not wait for the child,
// whose zombie is the caller's to reap. The error is an [*os.SyscallError] of clone.
func (p *Program) Start(group int) (*Child, error) {
	c := &Child{program: *p, pidfd: -1}
	c.inside.Store(1)
	pid, errno := c.start(group)
	if errno != 0 {
		return nil, os.NewSyscallError("clone", errno)
	}
	c.pid = int(pid)
	return c, nil
}

func (c *Child) start(group int) (uintptr, syscall.Errno) {
	if group < 0 && noClone3.Load() {
		return c.clone2()
	}
	pid, errno := c.clone3(group)
	if group < 0 && (errno == unix.ENOSYS || errno == unix.EPERM || errno == unix.EINVAL) {
		noClone3.Store(true)
		return c.clone2()
	}
	return pid, errno
}

// cloneFlags: what the child shares, and what is to be told of it.
const cloneFlags = unix.CLONE_VM | unix.CLONE_PIDFD | unix.CLONE_CHILD_CLEARTID

// cloneArgs is the kernel's struct clone_args.
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal, stack, stackSize, tls, setTID, setTIDSize, group uint64
}

func (c *Child) clone3(group int) (uintptr, syscall.Errno) {
	c.args = cloneArgs{
		flags:      cloneFlags | unix.CLONE_CLEAR_SIGHAND,
		pidfd:      uint64(uintptr(unsafe.Pointer(&c.pidfd))),
		childTID:   uint64(uintptr(unsafe.Pointer(&c.inside))),
		exitSignal: uint64(unix.SIGCHLD),
	}
	if group >= 0 {
		c.args.flags |= unix.CLONE_INTO_CGROUP
		c.args.group = uint64(group)
	}
	return c.clone(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&c.args)), unsafe.Sizeof(c.args), 0, 0, 0)
}

// clone2 has no flag that clears the signal handlers, which must not run in the
// child. So no signal is delivered there until the program itself has cleared them.
func (c *Child) clone2() (uintptr, syscall.Errno) {
	runtime.LockOSThread() // whose mask it is
	defer runtime.UnlockOSThread()
	if errno := c.signals.block(); errno != 0 {
		return 0, errno
	}
	defer c.signals.restore()
	var first Program
	first.resetSignals(&c.signals)
	c.program = first.then(c.program)
	return c.clone(unix.SYS_CLONE, cloneArguments(cloneFlags|uintptr(unix.SIGCHLD),
		uintptr(unsafe.Pointer(&c.pidfd)), uintptr(unsafe.Pointer(&c.inside)))...)
}

// clone is given addresses in c alone, which is on the heap and stays where it is.
func (c *Child) clone(number uintptr, a ...uintptr) (uintptr, syscall.Errno) {
	pid := clone(number, a[0], a[1], a[2], a[3], a[4], &c.program.calls[0], c)
	runtime.KeepAlive(c)
	if int(pid) < 0 {
		return 0, syscall.Errno(-pid)
	}
	return pid, 0
}

// PID returns the process id.
func (c *Child) PID() int { return c.pid }

// Pidfd returns the child's pidfd, which is the caller's to close, or -1 before
// Linux 5.2.
func (c *Child) Pidfd() int { return int(c.pidfd) }

// Left waits until the child has left this program's memory, because it executes
// another program or has ended, and reports false when that takes longer than limit.
// Until then c must be kept reachable. It blocks the thread.
func (c *Child) Left(limit time.Duration) bool {
	deadline := time.Now().Add(limit)
	for c.inside.Load() != 0 {
		rest := time.Until(deadline)
		if rest <= 0 {
			return false
		}
		timeout := unix.NsecToTimespec(int64(rest))
		// Not FUTEX_PRIVATE: the kernel's wake-up is not.
		_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&c.inside)), futexWait, 1,
			uintptr(unsafe.Pointer(&timeout)), 0, 0) // whatever ends it, inside tells
	}
	return true
}

const futexWait = 0 // FUTEX_WAIT

// Err returns why the program failed, after Left: then the child has exited with
// code 127 or does soon. It is nil when the program was carried out, when the child
// was killed before, and until it has left.
func (c *Child) Err() error {
	if c.inside.Load() != 0 || c.failed == 0 {
		return nil
	}
	first := uintptr(unsafe.Pointer(&c.program.calls[0]))
	i := (c.failed - first) / unsafe.Sizeof(call{})
	return c.program.tells[i](syscall.Errno(c.errno))
}
