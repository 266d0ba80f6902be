package frozentest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// freezer is where the freezer of version 1 is mounted. That of version 2 lets a
// killed process go.
const freezer = "/sys/fs/cgroup/freezer"

// patience bounds what takes a moment.
const patience = 30 * time.Second

func hold(t testing.TB, pids []int) (func(), bool) {
	t.Helper()
	group, err := os.MkdirTemp(freezer, "stint-test-")
	if err != nil {
		t.Skipf("this machine cannot freeze a process so that SIGKILL does not end it: %v", err)
	}
	f := &frozen{t: t, group: group, pids: pids}
	release := sync.OnceFunc(f.release)
	t.Cleanup(func() {
		release()
		f.reap()
	})
	for _, pid := range pids {
		if err := f.write("cgroup.procs", strconv.Itoa(pid)); errors.Is(err, syscall.ESRCH) {
			f.abandon(release)
			return release, false
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.write("freezer.state", "FROZEN"); err != nil {
		t.Fatal(err)
	}
	f.eventually("its processes to stand still", func() bool {
		state, err := os.ReadFile(filepath.Join(group, "freezer.state"))
		return err == nil && strings.TrimSpace(string(state)) == "FROZEN"
	})
	for _, pid := range pids {
		if !f.stands(pid) { // it was about to end
			f.abandon(release)
			return release, false
		}
	}
	return release, true
}

// frozen is a group of processes that stand still.
type frozen struct {
	t     testing.TB
	group string
	pids  []int
}

// stands reports whether the process is in the group, and has not ended.
func (f *frozen) stands(pid int) bool {
	members, err := os.ReadFile(filepath.Join(f.group, "cgroup.procs"))
	if err != nil || !slices.Contains(strings.Fields(string(members)), strconv.Itoa(pid)) {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, fields, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(fields, "Z") && !strings.HasPrefix(fields, "X")
}

func (f *frozen) write(file, content string) error {
	return os.WriteFile(filepath.Join(f.group, file), []byte(content), 0)
}

func (f *frozen) release() {
	f.t.Helper()
	if err := f.write("freezer.state", "THAWED"); err != nil {
		f.t.Fatal(err)
	}
	f.eventually("its processes to leave", func() bool {
		err := os.Remove(f.group)
		return err == nil || errors.Is(err, os.ErrNotExist)
	})
}

// abandon releases what was not held whole, and leaves it to the test.
func (f *frozen) abandon(release func()) {
	f.pids = nil
	release()
}

// reap reaps what the test has left of this program's children: a reactor that was
// closed does it no more. While the test goes on it would take their exits away.
func (f *frozen) reap() {
	for _, pid := range f.pids { // they have ended
		for {
			if _, err := syscall.Wait4(pid, nil, 0, nil); !errors.Is(err, syscall.EINTR) {
				break
			}
		}
	}
}

func (f *frozen) eventually(what string, condition func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("waited %v for %s: %s", patience, what, f.group)
		}
	}
}
