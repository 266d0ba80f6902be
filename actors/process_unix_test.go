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
	out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}
