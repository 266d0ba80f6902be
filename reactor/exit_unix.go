//go:build unix

package reactor

import (
	"fmt"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// exitOf translates a status as wait(2) gives it.
func exitOf(status syscall.WaitStatus) Exit {
	if status.Signaled() {
		return Exit{Kind: Signalled, Signal: status.Signal(), CoreDumped: status.CoreDump()}
	}
	return Exit{Kind: Exited, Code: status.ExitStatus()}
}

func newUsage(u *unix.Rusage) *Usage {
	unit := int64(1024)
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return &Usage{
		User:                time.Duration(u.Utime.Nano()),
		System:              time.Duration(u.Stime.Nano()),
		MaxRSS:              int64(u.Maxrss) * unit,
		MinorFaults:         int64(u.Minflt),
		MajorFaults:         int64(u.Majflt),
		VoluntarySwitches:   int64(u.Nvcsw),
		InvoluntarySwitches: int64(u.Nivcsw),
	}
}

func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return fmt.Sprintf("signal %d", int(sig))
}
