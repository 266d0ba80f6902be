//go:build unix

package actors_test

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// alive tells whether the process exists: a zombie does.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// runs tells whether the process exists and is no zombie, whose parent may be
// slow to reap it.
func runs(pid int) bool {
	out, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}
