package proctree

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor"
)

// patience bounds every wait of a test: only a failing one waits for it.
const patience = 30 * time.Second

// family7 is a shell with two of its own, in sessions of theirs, and a sleep each, one
// of which is stopped.
const family7 = `
sleep 1000 & kill -STOP $!
setsid sh -c 'sleep 1000 & wait' &
setsid sh -c 'setsid sleep 1000 & wait' &
wait`

// plant starts the family, which ends with the test.
func plant(t *testing.T) Process {
	t.Helper()
	cmd := exec.Command("sh", "-c", family7)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s, err := ReadStat(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	root := Process{cmd.Process.Pid, s.Start}
	var all []Relative
	eventually(t, "the family", func() bool {
		all, err = Below(root)
		stopped := 0
		for _, r := range all {
			if r.Stat.State == 'T' {
				stopped++
			}
		}
		return err == nil && len(all) == 5 && stopped == 1 && all[4].Stat.Name == "sleep"
	})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for _, r := range all {
			_ = syscall.Kill(r.PID, syscall.SIGKILL) // they live, so it is they who have the pids
		}
		_ = cmd.Wait()
	})
	return root
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// What the kernel lists and what the parents of all processes tell is the same.
func TestKinship(t *testing.T) {
	root := plant(t)
	all, err := scan()
	if err != nil {
		t.Fatal(err)
	}
	below, err := Below(root)
	if err != nil {
		t.Fatal(err)
	}
	names := func(rs []Relative) (ps []Process) {
		for _, r := range rs {
			ps = append(ps, r.Process)
		}
		return ps
	}
	for _, p := range append(names(below), root) {
		listed, err := childrenOf(p)
		found, scanErr := all.childrenOf(p)
		if err != nil || scanErr != nil {
			t.Fatalf("%v, %v", err, scanErr)
		}
		if got, want := sorted(names(listed)), sorted(names(found)); !slices.Equal(got, want) {
			t.Errorf("%v: %v, %v", p, got, want)
		}
	}
	later := Process{root.PID, root.Start + 1}
	for _, of := range []func(Process) ([]Relative, error){childrenOf, all.childrenOf, Children, Below} {
		if rs, err := of(later); !errors.Is(err, os.ErrProcessDone) || rs != nil {
			t.Errorf("another process with the pid: %v, %v", rs, err)
		}
	}
}

func sorted(ps []Process) []Process {
	slices.SortFunc(ps, func(a, b Process) int { return a.PID - b.PID })
	return ps
}

// All is stopped, and goes on afterwards, but what was stopped before.
func TestFreezeAndResume(t *testing.T) {
	root := plant(t)
	tree, err := Freeze(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Members) != 6 || tree.Members[0].Process != root {
		t.Errorf("%+v", tree.Members)
	}
	for _, m := range tree.Members {
		if s, err := ReadStat(m.PID); err != nil || s.State != 'T' {
			t.Errorf("%d: %c, %v", m.PID, s.State, err)
		}
	}
	tree.Resume()
	eventually(t, "all but one to go on", func() bool {
		stopped := 0
		for _, m := range tree.Members {
			if s, err := ReadStat(m.PID); err != nil || s.State == 'T' {
				stopped++
			}
		}
		return stopped == 1
	})
	tree.Close()
}

// A member is signalled, and a later process with its pid is not.
func TestMember(t *testing.T) {
	for _, withPidfd := range []bool{true, false} {
		cmd := exec.Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		s, err := ReadStat(cmd.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		m, err := hold(Process{cmd.Process.Pid, s.Start})
		if err != nil {
			t.Fatal(err)
		}
		if !withPidfd {
			m.release()
			other := m
			other.Start++
			if err := other.Signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
		}
		if err := m.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		_ = cmd.Wait()
		if got := cmd.ProcessState.String(); !strings.Contains(got, "terminated") {
			t.Error(got)
		}
		if err := m.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("after the end: %v", err)
		}
		m.release()
		if _, err := hold(m.Process); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("hold after the end: %v", err)
		}
	}
}

// Neither this program nor what is above it is stopped.
func TestFreezeRefuses(t *testing.T) {
	for pid := os.Getpid(); pid > 0; {
		s, err := ReadStat(pid)
		if err != nil {
			break // the rest is outside of this pid namespace
		}
		tree, err := Freeze(Process{pid, s.Start})
		if !errors.Is(err, reactor.ErrInvalidPID) || len(tree.Members) > 0 {
			t.Errorf("%d: %v, %v", pid, tree.Members, err)
		}
		tree.Close()
		pid = s.Parent
	}
}

// Only what the system says of a process is believed to be its end.
func TestGone(t *testing.T) {
	for _, err := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EACCES, syscall.EPERM, syscall.ENOMEM, syscall.EIO} {
		if got := Gone(&os.PathError{Op: "open", Path: "/proc/1/stat", Err: err}); !errors.Is(got, err) || errors.Is(got, os.ErrProcessDone) {
			t.Errorf("%v: %v", err, got)
		}
	}
	for _, err := range []error{syscall.ENOENT, syscall.ESRCH} {
		if got := Gone(&os.PathError{Op: "open", Path: "/proc/1/stat", Err: err}); got != os.ErrProcessDone {
			t.Errorf("%v: %v", err, got)
		}
	}
}

func TestParseStat(t *testing.T) {
	for _, line := range []string{"", "1", "1 (x", "1 x) S 1", "1 (x) S 1 2 3", "1 (x) S a " + strings.Repeat("1 ", 20)} {
		if s, err := ParseStat([]byte(line)); !errors.Is(err, errStat) {
			t.Errorf("%q: %+v, %v", line, s, err)
		}
	}
	s, err := ParseStat([]byte("7 (a) (b) S) T 5 6 " + strings.Repeat("1 ", 20)))
	if err != nil || s.Name != "a) (b) S" || s.State != 'T' || s.Parent != 5 || s.Group != 6 {
		t.Errorf("%+v, %v", s, err)
	}
}
