//go:build linux && (amd64 || arm64)

package fork

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor/refusaltest"
)

const refusalKey = "STINT_FORK_TEST_REFUSAL"

// Where clone3 is missing or refused, as in many containers, clone does, but for a
// group, which needs clone3.
func TestClone3Refused(t *testing.T) {
	if s, ok := os.LookupEnv(refusalKey); ok {
		errno, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		startRefused(t, syscall.Errno(errno))
		return
	}
	for _, errno := range []syscall.Errno{unix.ENOSYS, unix.EPERM} {
		command := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		command.Env = append(os.Environ(), refusalKey+"="+strconv.Itoa(int(errno)))
		out, err := command.CombinedOutput()
		if strings.Contains(string(out), "--- SKIP") {
			t.Skipf("%s", out)
		}
		if err != nil {
			t.Errorf("%v: %v: %s", errno, err, out)
		}
	}
}

func startRefused(t *testing.T, errno syscall.Errno) {
	if err := refusaltest.RefuseHere(unix.SYS_CLONE3, errno); err != nil {
		t.Skip("this machine has no seccomp:", err)
	}
	var inGroup Program
	inGroup.Do(tell("getpid"), unix.SYS_GETPID)
	if _, err := inGroup.Start(1 << 20); !errors.Is(err, errno) {
		t.Errorf("in a group: %v", err)
	}
	for range 2 { // the second does not try it any more
		var p Program
		if err := p.Execute(tell("execve"), "/bin/sh", []string{"sh", "-c", "exit 5"}, nil); err != nil {
			t.Fatal(err)
		}
		c := start(t, &p)
		if !c.Left(patience) || c.Err() != nil {
			t.Error(c.Err())
		}
		if s := c.status(t); s.ExitStatus() != 5 {
			t.Errorf("status %#x", s)
		}
		if !noClone3.Load() {
			t.Error("clone3 was not found to be refused")
		}
	}
}
