package reactor

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// waitable reports whether the child pid can be reaped, and leaves it so. With
// block it waits until that is so.
func waitable(pid int, block bool) (bool, error) {
	const pPID = 1 // P_PID of sys/wait.h
	options := unix.WEXITED | unix.WNOWAIT
	if !block {
		options |= unix.WNOHANG
	}
	var info [16]uint64 // a siginfo_t, 104 bytes: signo, errno, code, pid, …
	errno := unix.EINTR
	for errno == unix.EINTR {
		_, _, errno = unix.Syscall6(unix.SYS_WAITID, pPID, uintptr(pid), uintptr(unsafe.Pointer(&info)), uintptr(options), 0, 0)
	}
	if errno != 0 {
		return false, errno
	}
	return (*[4]int32)(unsafe.Pointer(&info))[3] != 0, nil
}
