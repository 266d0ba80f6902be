package refusaltest

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Refuse makes the system call fail for the rest of this program's life, in all of its
// threads and in what it starts. The error says why this machine cannot (seccomp(2)).
func Refuse(call uint32, errno syscall.Errno) error {
	runtime.LockOSThread() // both calls are of one thread; the second reaches them all
	defer runtime.UnlockOSThread()
	return refuse(call, errno, unix.SECCOMP_FILTER_FLAG_TSYNC)
}

// RefuseHere makes it fail for this goroutine, which it locks to its thread for good, and
// in what that starts. So the program itself can still make the call: with cgo, new
// threads need clone3, unless that fails with ENOSYS.
func RefuseHere(call uint32, errno syscall.Errno) error {
	runtime.LockOSThread()
	return refuse(call, errno, 0)
}

func refuse(call uint32, errno syscall.Errno, flags uintptr) error {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, refused := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&program)))
	if refused != 0 {
		return fmt.Errorf("seccomp: %w", refused)
	}
	return nil
}
