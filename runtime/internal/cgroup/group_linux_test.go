package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const patience = 20 * time.Second

// parent makes a group for the test, in which hosts' groups are made.
func parent(t *testing.T) string {
	t.Helper()
	above, err := own()
	if err != nil {
		t.Skipf("this machine has no control groups for us: %v", err)
	}
	path, err := os.MkdirTemp("/"+above.Directory, "stintest-") // not a name that hosts sweep
	if err != nil {
		t.Skipf("this user may not make control groups: %v", err)
	}
	t.Cleanup(func() {
		if err := Kill(path); err != nil {
			t.Error(err)
		}
		removed(t, path)
	})
	h, err := openIn(path)
	if err != nil {
		t.Skipf("no process can be started in a control group here: %v", err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	return path
}

// removed waits until a group can be removed.
func removed(t *testing.T, path string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for err := Remove(path); err != nil; err = Remove(path) {
		if !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

func openHost(t *testing.T, parent string) *Host {
	t.Helper()
	h, err := openIn(parent)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// sleeper starts a daemon in a group, and returns when it is one.
func sleeper(t *testing.T, descriptor int) {
	t.Helper()
	cmd := exec.Command("sh", "-c", "(setsid sh -c 'echo daemon; exec sleep 1000' &)")
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: descriptor}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var word string
	if _, err := fmt.Fscan(out, &word); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// What is in a group, and in groups in it, is killed and the groups are removed
// from the lowest up.
func TestNested(t *testing.T) {
	h := openHost(t, parent(t))
	g, err := h.New()
	if err != nil {
		t.Fatal(err)
	}
	inner := &Host{path: filepath.Join(g.path, prefix+"1-0")}
	if err := os.Mkdir(inner.path, mode); err != nil {
		t.Fatal(err)
	}
	below, err := inner.New()
	if err != nil {
		t.Fatal(err)
	}
	defer below.Abandon()
	sleeper(t, g.Descriptor())
	sleeper(t, below.Descriptor())
	if err := g.Remove(); !errors.Is(err, unix.EBUSY) {
		t.Errorf("with two daemons in it: %v", err)
	}
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	for err := g.Remove(); err != nil; err = g.Remove() {
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	if err := h.Close(); err != nil || exists(h.path) {
		t.Errorf("%v; the host's group exists: %t", err, exists(h.path))
	}
}

// The same pid comes again, in another pid namespace or after a death.
func TestNamesThatAreTaken(t *testing.T) {
	above := parent(t)
	first, second := openHost(t, above), openHost(t, above)
	if first.path == second.path {
		t.Error("two hosts of one pid have one group")
	}
	for _, h := range []*Host{second, first} {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A dead host's groups are swept with all that is in them; a living host's and
// somebody else's are not.
func TestStale(t *testing.T) {
	above := parent(t)
	dead, living := openHost(t, above), openHost(t, above)
	other := filepath.Join(above, "other")
	if err := os.Mkdir(other, mode); err != nil {
		t.Fatal(err)
	}
	g, err := dead.New()
	if err != nil {
		t.Fatal(err)
	}
	sleeper(t, g.Descriptor())
	g.Abandon()
	dead.lock.Close() // as its death does

	deadline := time.Now().Add(patience)
	for exists(dead.path) {
		if time.Now().After(deadline) {
			t.Fatal("a dead host's group is still there")
		}
		next := openHost(t, above)
		if err := next.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !exists(living.path) || !exists(other) {
		t.Errorf("swept, too: a living host's %t, another's %t", !exists(living.path), !exists(other))
	}
	if err := living.Close(); err != nil {
		t.Error(err)
	}
}

func TestWithin(t *testing.T) {
	for _, test := range []struct {
		line, path string
		dir        string // empty: not there
	}{
		{"26 25 0:23 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw", "/", "/sys/fs/cgroup"},
		{"26 25 0:23 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw", "/user.slice/a", "/sys/fs/cgroup/user.slice/a"},
		{"26 25 0:23 /user.slice /my\\040cgroups rw - cgroup2 cgroup2 rw", "/user.slice/a", "/my cgroups/a"},
		{"26 25 0:23 /user.slice /cg rw - cgroup2 cgroup2 rw", "/user.slice", "/cg"},
		{"26 25 0:23 /user /cg rw - cgroup2 cgroup2 rw", "/user.slice/a", ""},
		{"26 25 0:23 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids", "/", ""},
		{"nonsense", "/", ""},
	} {
		m, ok := parseMount(test.line, "")
		dir := ""
		if ok {
			dir, ok = m.within(test.path)
		}
		if ok != (test.dir != "") || ok && "/"+dir != test.dir {
			t.Errorf("%q, %s: %q, %t", test.line, test.path, dir, ok)
		}
	}
}
