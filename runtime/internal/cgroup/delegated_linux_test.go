package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// leafIn makes a group in another, as that of this program would be.
func leafIn(t *testing.T, above string) Place {
	t.Helper()
	leaf := filepath.Join(above, "main")
	if err := os.Mkdir(leaf, mode); err != nil {
		t.Fatal(err)
	}
	mounts, err := own()
	if err != nil {
		t.Fatal(err)
	}
	return Place{Version: 2, Directory: strings.TrimPrefix(leaf, "/"), Mount: mounts.Mount}
}

func markDelegated(t *testing.T, group string) {
	t.Helper()
	if err := unix.Setxattr(group, "user.delegate", []byte("1"), 0); err != nil {
		t.Skipf("this kernel marks no control groups: %v", err)
	}
}

// A host's group is above this program's own where that was delegated to it, and nowhere else.
func TestDelegated(t *testing.T) {
	t.Run("by systemd", func(t *testing.T) {
		above := parent(t)
		leaf := leafIn(t, above)
		if os.Geteuid() == 0 {
			if group, ok := leaf.delegated(); ok {
				t.Errorf("%s was not", group)
			}
		}
		markDelegated(t, above)
		if group, ok := leaf.delegated(); !ok || group != above {
			t.Errorf("%q, %t, want %q", group, ok, above)
		}
		leaf.Mount = leaf.Directory
		if group, ok := leaf.delegated(); ok {
			t.Errorf("%s is out of sight", group)
		}
	})
	t.Run("with processes in it", func(t *testing.T) {
		above := parent(t)
		markDelegated(t, above)
		leaf := leafIn(t, above)
		sleeperIn(t, above)
		if group, ok := leaf.delegated(); ok {
			t.Errorf("%s has a process in it", group)
		}
	})
	t.Run("to a worker's own host", func(t *testing.T) {
		h := openHost(t, parent(t))
		defer h.Close()
		markDelegated(t, h.path)
		if group, ok := leafIn(t, h.path).delegated(); ok {
			t.Errorf("%s is a host's", group)
		}
	})
	t.Run("with a leaf that has limits", func(t *testing.T) {
		above := parent(t)
		need(t, above, Pids)
		markDelegated(t, above)
		leaf := leafIn(t, above)
		if err := write(filepath.Join("/", leaf.Directory, "pids.max"), "1000"); err != nil {
			t.Fatal(err)
		}
		if group, ok := leaf.delegated(); ok {
			t.Errorf("in %s the limit would not hold", group)
		}
	})
}

// What a file that limits a group has in it, is a limit or says that there is none.
func TestLimitOf(t *testing.T) {
	none := map[string]string{
		"memory.max": "max\n", "memory.high": "max\n", "memory.swap.max": "max\n", "pids.max": "max\n", "cpu.max": "max 100000\n",
		"cpuset.cpus": "\n", "cpuset.mems": "\n", "io.max": "", "hugetlb.2MB.max": "max\n", "hugetlb.1GB.rsvd.max": "max\n",
		"cpuset.cpus.effective": "0-3\n", "hugetlb.2MB.current": "0\n", "cpu.weight": "100\n",
	}
	for file, limit := range map[string]string{
		"": "", "memory.max": "1048576\n", "memory.high": "0\n", "memory.swap.max": "0\n", "pids.max": "1000\n", "cpu.max": "50000 100000\n",
		"cpuset.cpus": "0\n", "cpuset.mems": "0-1\n", "io.max": "8:16 rbps=2097152 wbps=max riops=max wiops=max\n",
		"hugetlb.2MB.max": "0\n", "hugetlb.1GB.rsvd.max": "1073741824\n",
	} {
		group := filepath.Join(t.TempDir(), `app-a\x2d[b].scope`) // as systemd names groups
		if err := os.Mkdir(group, mode); err != nil {
			t.Fatal(err)
		}
		if got := limitOf(group); got != "" {
			t.Errorf("without controllers: %q", got)
		}
		for name, text := range none {
			if name == file {
				text = limit
			}
			if err := os.WriteFile(filepath.Join(group, name), []byte(text), mode); err != nil {
				t.Fatal(err)
			}
		}
		if got := limitOf(group); got != file {
			t.Errorf("%q, want %q", got, file)
		}
	}
}

// need enables a controller for the groups in one, if that is possible.
func need(t *testing.T, group string, c Controller) {
	t.Helper()
	if err := errors.Join(enable(filepath.Dir(group), c), enable(group, c)); err != nil {
		t.Skipf("not on this machine: %v", err)
	}
}

func sleeperIn(t *testing.T, group string) {
	t.Helper()
	dir, err := os.Open(group)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	sleeper(t, int(dir.Fd()))
}

// A group with processes in it is left as it is, although the kernel would let it have some
// controllers for those below: no process could be started in these any more.
func TestEnable(t *testing.T) {
	for _, c := range []Controller{Memory, Pids} {
		t.Run(string(c), func(t *testing.T) {
			above := parent(t)
			if err := enable(filepath.Dir(above), c); err != nil {
				t.Skipf("not on this machine: %v", err)
			}
			h := openHost(t, above)
			defer h.Close()

			sleeperIn(t, above)
			if err := h.Enable(c); err == nil || !strings.Contains(err.Error(), above+" has processes in it") {
				t.Error(err)
			}
			if err := h.probe(); err != nil {
				t.Error(err)
			}

			if err := Kill(above); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
				if occupied, err := hasProcesses(above); err == nil && !occupied {
					break
				} else if time.Now().After(deadline) {
					t.Fatal("what was killed is still there: ", err)
				}
			}
			if err := h.Enable(c); err != nil {
				t.Fatal(err)
			}
			g, err := h.New()
			if err != nil {
				t.Fatal(err)
			}
			defer g.Abandon()
			if err := g.limit(c, probeLimit); err != nil {
				t.Error(err)
			}
			removed(t, g.path)
		})
	}
}
