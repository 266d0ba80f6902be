package pool_test

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/pool"
)

// threads returns what each thread of the worker says of itself under a key.
var threads = pool.NewTask("threads", func(_ context.Context, key string) ([]string, error) {
	files, err := filepath.Glob("/proc/self/task/*/status")
	var found []string
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			continue // it has ended
		}
		for lines := bufio.NewScanner(f); lines.Scan(); {
			if value, ok := strings.CutPrefix(lines.Text(), key+":"); ok {
				found = append(found, strings.TrimSpace(value))
			}
		}
		f.Close()
	}
	return found, err
})

// TestCPUs: all threads of a worker run on the CPUs that are named, and there are
// as many processors for Go; the pool itself is left where it was.
func TestCPUs(t *testing.T) {
	var before, after unix.CPUSet
	if err := unix.SchedGetaffinity(os.Getpid(), &before); err != nil {
		t.Fatal(err)
	}
	first := 0
	for !before.IsSet(first) {
		first++
	}
	p := newProcessPool(t, pool.Config{Workers: 2, CPUs: []int{first}})
	for range 2 {
		if lists := slices.Compact(value(t, threads.Submit(t.Context(), p, "Cpus_allowed_list"))); !slices.Equal(lists, []string{itoa(first)}) {
			t.Errorf("its threads run on %q, not on %d", lists, first)
		}
	}
	if err := unix.SchedGetaffinity(os.Getpid(), &after); err != nil || after != before {
		t.Errorf("this program runs on %v, ran on %v; %v", after, before, err)
	}
	if err := newProcessPool(t, pool.Config{Workers: runtime.NumCPU()}).Close(); err != nil {
		t.Error(err)
	}
}

// TestNiceThreads: niceness is a thread's own on Linux; all of a worker have it.
func TestNiceThreads(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	want := itoa(min(own(t)+5, 19))
	if got := slices.Compact(value(t, niceOfThreads.Submit(t.Context(), p, none{}))); !slices.Equal(got, []string{want}) {
		t.Errorf("its threads have %q, want %s", got, want)
	}
}

var niceOfThreads = pool.NewTask("niceOfThreads", func(context.Context, none) ([]string, error) {
	files, err := filepath.Glob("/proc/self/task/*/stat")
	var found []string
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(data), ") ")
		found = append(found, strings.Fields(rest)[16]) // field 19 of proc_pid_stat(5), nice
	}
	return found, err
})
