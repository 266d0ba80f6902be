package proctree

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// forkerVariable is set for this binary where it is a test's helper.
const forkerVariable = "PROCTREE_TEST_FORKER"

func init() {
	if os.Getenv(forkerVariable) != "" {
		blockInFork()
	}
}

// blockInFork forks, and waits in state D for its child, which waits for ever: it shares no memory
// with this process, but is waited for as the child of a vfork is.
//
//go:norace
func blockInFork() {
	_, _, errno := unix.RawSyscall6(unix.SYS_CLONE, unix.CLONE_VFORK|uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	for errno == 0 {
		unix.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
	}
	panic(errno)
}

// forker starts a process that is blocked in a fork. It ends with the test, and its child as well.
func forker(t *testing.T) (blocked Process) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), forkerVariable+"=1")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var children []Relative
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for _, child := range children {
			_ = syscall.Kill(child.PID, syscall.SIGKILL)
		}
		_ = cmd.Wait()
	})
	s, err := ReadStat(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	p := Process{cmd.Process.Pid, s.Start}
	eventually(t, "the child", func() bool {
		children, err = Children(p)
		return err == nil && len(children) == 1
	})
	return p
}

// exhaust leaves one descriptor to be had, until release.
func exhaust(t *testing.T) (release func()) {
	t.Helper()
	free, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0) // the lowest that is free
	if err == nil {
		err = unix.Close(free)
	}
	var whole unix.Rlimit
	if err == nil {
		err = unix.Getrlimit(unix.RLIMIT_NOFILE, &whole)
	}
	if err == nil {
		err = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(free) + 1, Max: whole.Max})
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &whole); err != nil {
			t.Error(err)
		}
	}
}

// One that is blocked is waited for from its own stop on, however late that is: with one
// descriptor Freeze can look at a process, and cannot hold it.
func TestBlockedSinceItsStop(t *testing.T) {
	root := forker(t)
	type result struct {
		*Tree
		error
	}
	frozen := make(chan result)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		release := exhaust(t)
		go func() {
			tree, err := Freeze(root)
			frozen <- result{tree, err}
		}()
		time.Sleep(2 * blockedLimit)
		stop := time.Now() // it is not stopped before
		release()
		tree := <-frozen
		took := time.Since(stop)
		if errors.Is(tree.error, syscall.EMFILE) {
			continue // it had no other for as long as it tries
		}
		if tree.error != nil {
			t.Fatal(tree.error)
		}
		defer tree.Close()
		if does, err := tree.Members[0].activity(); does != blocked || err != nil || len(tree.Members) != 2 {
			t.Errorf("%d members, of which the first does %d: %v", len(tree.Members), does, err)
		}
		if took < blockedLimit {
			t.Errorf("one that is blocked stood still after %v, want %v", took, blockedLimit)
		}
		return
	}
	t.Fatalf("for %v there was no descriptor", patience)
}
