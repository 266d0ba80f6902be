//go:build unix

package actors_test

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// sendSignal sends sig to one process. To kill(2) the pids below 1 mean many
// processes, -1 all of them, and that is what os.Process.Release leaves in Pid.
func sendSignal(t testing.TB, pid int, sig syscall.Signal) {
	t.Helper()
	if pid <= 1 {
		t.Fatalf("refused to send %v to pid %d", sig, pid)
	}
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
}

// alive tells whether the process exists: a zombie does.
func alive(pid int) bool { return pid > 1 && syscall.Kill(pid, 0) == nil }

// runs tells whether the process exists and is no zombie, whose parent may be
// slow to reap it.
func runs(pid int) bool {
	s := status(pid)
	return s != "" && s[0] != 'Z'
}

// status returns a process's state as ps names it: T stopped, Z a zombie; empty: there
// is none.
func status(pid int) string {
	out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
