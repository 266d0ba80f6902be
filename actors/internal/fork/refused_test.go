//go:build linux && (amd64 || arm64)

package fork

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
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
	refuse(t, unix.SYS_CLONE3, errno)
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

// refuse makes a system call fail for the rest of this program's life.
func refuse(t *testing.T, call uint32, errno syscall.Errno) {
	t.Helper()
	runtime.LockOSThread() // both calls are of one thread; the second reaches them all
	defer runtime.UnlockOSThread()
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Skip("this machine has no seccomp:", err)
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, err := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if err != 0 {
		t.Skip("this machine has no seccomp:", err)
	}
}
