// Package refusaltest has the system refuse a call, for tests of what is done then: as a
// container's seccomp filter does, or a kernel that does not know the call.
//
//	if err := refusaltest.Refuse(unix.SYS_PIDFD_OPEN, unix.ENOSYS); err != nil {
//		t.Skip(err)
//	}
//
// It cannot be taken back: the test runs its own program again and refuses there.
//
// # Goroutines
//
// None.
//
// # Systems
//
// Linux.
package refusaltest
