//go:build amd64 || arm64 || riscv64

package reactor

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// waitable reports whether the child pid can be reaped, and leaves it so. With
// block it waits until that is so.
func waitable(pid int, block bool) (bool, error) {
	const pPID = 0 // P_PID of sys/wait.h
	options := unix.WEXITED | unix.WNOWAIT
	if !block {
		options |= unix.WNOHANG
	}
	var status int32
	var found uintptr
	errno := unix.EINTR
	for errno == unix.EINTR {
		found, _, errno = unix.Syscall6(unix.SYS_WAIT6, pPID, uintptr(pid), uintptr(unsafe.Pointer(&status)), uintptr(options), 0, 0)
	}
	if errno != 0 {
		return false, errno
	}
	return found != 0, nil
}
