//go:build unix

package reactor_test

import (
	"testing"

	"golang.org/x/sys/unix"
)

// killPID signals one process, behind the reactor's back. It is the only kill(2)
// of these tests: it refuses a pid that names init, a group or everybody.
func killPID(t testing.TB, pid int, sig unix.Signal) {
	t.Helper()
	if pid <= 1 {
		t.Errorf("refused to send %v to %d", sig, pid)
		return
	}
	if err := unix.Kill(pid, sig); err != nil {
		t.Errorf("send %v to %d: %v", sig, pid, err)
	}
}

// exists reports whether there is such a process, be it a zombie.
func exists(pid int) bool { return pid > 1 && unix.Kill(pid, 0) != unix.ESRCH }
