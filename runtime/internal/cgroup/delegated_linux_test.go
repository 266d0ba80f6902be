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
			undelegated(t, leaf, above, "is not known to be delegated", "DelegateSubgroup=main")
		}
		markDelegated(t, above)
		if group, why := leaf.delegated(); why != nil || group != above {
			t.Errorf("%q, %v, want %q", group, why, above)
		}
		leaf.Mount = leaf.Directory
		undelegated(t, leaf, "no control group above", "/"+leaf.Directory, "DelegateSubgroup=main")
	})
	t.Run("with processes in it", func(t *testing.T) {
		above := parent(t)
		markDelegated(t, above)
		leaf := leafIn(t, above)
		sleeperIn(t, above)
		undelegated(t, leaf, above, "has processes in it", "put them into a group below it")
	})
	t.Run("to a worker's own host", func(t *testing.T) {
		h := openHost(t, parent(t))
		defer h.Close()
		markDelegated(t, h.path)
		undelegated(t, leafIn(t, h.path), h.path, "as a worker")
	})
	t.Run("with a leaf that has limits", func(t *testing.T) {
		above := parent(t)
		need(t, above, Pids)
		markDelegated(t, above)
		leaf := leafIn(t, above)
		if err := write(filepath.Join("/", leaf.Directory, "pids.max"), "1000"); err != nil {
			t.Fatal(err)
		}
		undelegated(t, leaf, "/"+leaf.Directory, "pids.max", "set it there")
	})
}

// undelegated fails the test if the group above a leaf is taken, or if that error leaves a word out.
func undelegated(t *testing.T, leaf Place, words ...string) {
	t.Helper()
	group, why := leaf.delegated()
	if why == nil {
		t.Errorf("%s is taken", group)
		return
	}
	says(t, why, words...)
}

func says(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v\nsays nothing of %q", err, word)
		}
	}
}

// Why a host's group is not beside the leaf, is told where the controllers cannot be had for it.
func TestNotBeside(t *testing.T) {
	t.Run("as something else is there", func(t *testing.T) {
		above := parent(t)
		leaf := leafIn(t, above)
		sleeperIn(t, above)
		markDelegated(t, above)
		tellsOf(t, leaf, above, "put them into a group below it")
	})
	t.Run("as no group can be made there", func(t *testing.T) {
		group := parent(t)
		above := t.TempDir() // no control group, although all looks like one
		if err := os.WriteFile(filepath.Join(above, "cgroup.procs"), nil, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(group, filepath.Join(above, "main")); err != nil {
			t.Fatal(err)
		}
		markDelegated(t, above)
		leaf := Place{Version: 2, Directory: strings.TrimPrefix(above, "/") + "/main"}
		tellsOf(t, leaf, above, "cgroup.kill")
	})
}

// tellsOf opens a host for a program in a leaf, and fails the test unless the error of Enable has
// the words, and advises nobody to have a leaf.
func tellsOf(t *testing.T, leaf Place, words ...string) {
	t.Helper()
	sleeperIn(t, "/"+leaf.Directory)
	h, err := leaf.open()
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if filepath.Dir(h.path) != "/"+leaf.Directory {
		t.Fatalf("it is in %s", h.path)
	}
	for _, c := range []Controller{Memory, Pids} {
		err := h.Enable(c)
		if err == nil {
			t.Fatalf("the group has processes in it, and %s", c)
		}
		says(t, err, words...)
		if strings.Contains(err.Error(), "DelegateSubgroup") {
			t.Errorf("%v\nadvises what was done", err)
		}
	}
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

// An error says why a group cannot have a controller for those below it, and what to do.
func TestEnableErrors(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		words []string
	}{
		{
			"the kernel is without",
			map[string]string{"cgroup.controllers": "cpu pids\n"},
			[]string{"version 2", "cgroup_no_v1=memory", "cgroup_disable=memory"},
		},
		{
			"the group above is without",
			map[string]string{"cgroup.controllers": "cpu pids\n", "cgroup.type": "domain\n"},
			[]string{"does not have the controller memory", "+memory", "cgroup.subtree_control", "Delegate=yes"},
		},
		{
			"with processes in it",
			map[string]string{"cgroup.controllers": "memory\n", "cgroup.type": "domain\n", "cgroup.subtree_control": "\n", "cgroup.procs": "7\n"},
			[]string{"has processes in it", "memory"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			group := t.TempDir()
			for name, text := range test.files {
				if err := os.WriteFile(filepath.Join(group, name), []byte(text), mode); err != nil {
					t.Fatal(err)
				}
			}
			err := enable(group, Memory)
			if err == nil {
				t.Fatal("it has it")
			}
			says(t, err, test.words...)
		})
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
