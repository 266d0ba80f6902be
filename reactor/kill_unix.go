//go:build unix

package reactor

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// kill and killGroup are the only ways to kill(2) in this package. Whatever went
// wrong before, they never signal init (1), the program's own group (0 and -0) or
// every process there is (-1).

func kill(pid int, sig syscall.Signal) error {
	if pid <= 1 {
		return ErrInvalidPID
	}
	return gone(unix.Kill(pid, sig))
}

func killGroup(pgid int, sig syscall.Signal) error {
	if pgid <= 1 {
		return ErrInvalidPID
	}
	return gone(unix.Kill(-pgid, sig))
}

// gone turns the system's "no such process" into Go's.
func gone(err error) error {
	if err == unix.ESRCH {
		return os.ErrProcessDone
	}
	return err
}
