package process_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/runtime/process"
)

func init() { programs["cpus"] = cpus }

// cpus is a program that joins the groups of which it is given the directories,
// runs on the first CPU alone if it is to, and says how many it may use.
func cpus() {
	for _, group := range filepath.SplitList(os.Getenv("GROUPS")) {
		if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte("0"), 0); err != nil {
			fmt.Println(err)
			return
		}
	}
	if os.Getenv("PINNED") != "" {
		self, err := process.Find(os.Getpid())
		if err == nil {
			var all []int
			if all, err = self.Affinity(); err == nil {
				err = self.SetAffinity(all[0])
			}
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(process.AvailableCPUs())
}

func cpusOf(t *testing.T, env ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), programKey+"=cpus"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func TestAvailableCPUs(t *testing.T) {
	n, err := process.AvailableCPUs()
	if err != nil || n <= 0 || n > float64(runtime.NumCPU()) {
		t.Errorf("%v of %d CPUs, %v", n, runtime.NumCPU(), err)
	}
	if got := cpusOf(t, "PINNED=1"); got != fmt.Sprint(min(n, 1), " <nil>") {
		t.Errorf("on one CPU of %v: %s", n, got)
	}
}

// The smallest quota counts, the own group's or one above it.
func TestAvailableCPUsWithQuota(t *testing.T) {
	for _, version := range []struct{ root, file, format string }{
		{"/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "%d"}, // of version 1, in each period of 100 ms
		{"/sys/fs/cgroup", "cpu.max", "%d 100000"},       // of version 2
	} {
		t.Run(version.file, func(t *testing.T) {
			outer, err := os.MkdirTemp(version.root, "stint-test-")
			if err != nil {
				t.Skipf("this machine lets nobody make control groups: %v", err)
			}
			inner := filepath.Join(outer, "inner")
			defer func() {
				for _, group := range []string{inner, outer} {
					if err := unix.Rmdir(group); err != nil && err != unix.ENOENT {
						t.Error(err)
					}
				}
			}()
			if _, err := os.Stat(filepath.Join(outer, version.file)); err != nil {
				t.Skipf("this machine has no controller of CPUs there: %v", err)
			}
			if err := os.Mkdir(inner, 0o755); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(version.file, "max") { // what is below it has no controller otherwise
				_ = os.WriteFile(filepath.Join(outer, "cgroup.subtree_control"), []byte("+cpu"), 0)
			}
			limit := func(group string, cpus float64) {
				t.Helper()
				value := fmt.Sprintf(version.format, int(cpus*100_000))
				if err := os.WriteFile(filepath.Join(group, version.file), []byte(value), 0); err != nil {
					t.Skipf("this machine refuses a quota: %v", err)
				}
			}
			limit(outer, 0.75)
			if got := cpusOf(t, "GROUPS="+inner); got != "0.75 <nil>" {
				t.Errorf("a quota of 0.75 above: %s", got)
			}
			limit(inner, 0.5)
			if got := cpusOf(t, "GROUPS="+inner); got != "0.5 <nil>" {
				t.Errorf("quotas of 0.5, and 0.75 above: %s", got)
			}
			if got, err := strconv.ParseFloat(strings.Fields(cpusOf(t))[0], 64); err != nil || got == 0.5 || got == 0.75 {
				t.Errorf("a program beside: %v, %v", got, err)
			}
		})
	}
}
