package pool_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/pool"
)

var (
	// limitsOf returns the worker's hard limits of descriptors and core files.
	limitsOf = pool.NewTask("limitsOf", func(context.Context, struct{}) ([2]uint64, error) {
		var files, core unix.Rlimit
		err := errors.Join(unix.Getrlimit(unix.RLIMIT_NOFILE, &files), unix.Getrlimit(unix.RLIMIT_CORE, &core))
		return [2]uint64{files.Max, core.Max}, err
	})
	// compute computes until it is stopped.
	compute = pool.NewTask("compute", func(context.Context, struct{}) (sum int, _ error) {
		for i := 0; i >= 0; i++ {
			sum += i
		}
		return sum, nil
	})
	// user returns user, group and number of supplementary groups.
	user = pool.NewTask("user", func(context.Context, struct{}) ([3]int, error) {
		groups, err := os.Getgroups()
		return [3]int{os.Getuid(), os.Getgid(), len(groups)}, err
	})
	// mayOpen tells which of the files can be read, and which written.
	mayOpen = pool.NewTask("mayOpen", func(_ context.Context, paths []string) (can []string, _ error) {
		for _, path := range paths {
			if _, err := os.ReadFile(path); err == nil {
				can = append(can, "read "+filepath.Base(path))
			}
			if f, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
				f.Close()
				can = append(can, "write "+filepath.Base(path))
			}
		}
		return can, nil
	})
)

// boundedPool is a pool of one worker, unless this machine cannot bound it.
func boundedPool(t *testing.T, config pool.Config) *pool.ProcessPool {
	t.Helper()
	config.Workers = 1
	p, err := pool.NewProcessPool(config)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EPERM) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// SEC-15: a worker's limits hold, and one that reaches its CPU time costs its own
// task alone.
func TestLimits(t *testing.T) {
	p := boundedPool(t, pool.Config{Limits: pool.Limits{OpenFiles: 99, CoreSize: pool.NoCore, CPUTime: time.Second}})
	if got := value(t, limitsOf.Submit(t.Context(), p, struct{}{})); got != [2]uint64{99, 0} {
		t.Errorf("limits %d", got)
	}
	var died *pool.WorkerError
	var spent *pool.CPUTimeError
	_, err := compute.Submit(t.Context(), p, struct{}{}).Result(t.Context()) // Go ignores SIGXCPU
	if !errors.As(err, &died) || died.Exit.Signal != syscall.SIGKILL || !errors.As(err, &spent) || spent.Used < spent.Limit {
		t.Errorf("a worker over its CPU time: %v", err)
	}
	if got := value(t, limitsOf.Submit(t.Context(), p, struct{}{})); got != [2]uint64{99, 0} {
		t.Errorf("limits of the replacement %d", got)
	}
}

// SEC-14: workers run as another user, without this program's groups.
func TestUser(t *testing.T) {
	p := boundedPool(t, pool.Config{Privileges: pool.Privileges{User: &pool.User{UID: 12345, GID: 12346}}})
	if got := value(t, user.Submit(t.Context(), p, struct{}{})); got != [3]int{12345, 12346, 0} {
		t.Errorf("user, group and groups %d", got)
	}
	var timeout *pool.TimeoutError
	hung := compute.Submit(t.Context(), p, struct{}{}, pool.WithTimeout(100*time.Millisecond)) // a limit for this one alone: the others must succeed
	if _, err := hung.Result(t.Context()); !errors.As(err, &timeout) {
		t.Errorf("another user's hung worker: %v", err)
	}
	if got := value(t, user.Submit(t.Context(), p, struct{}{})); got != [3]int{12345, 12346, 0} {
		t.Errorf("user, group and groups of the replacement %d", got)
	}
}

// SEC-14: workers open what they may, and nothing else.
func TestPaths(t *testing.T) {
	dir := t.TempDir()
	var all []string
	for _, name := range []string{"readable", "writable", "other"} {
		all = append(all, filepath.Join(dir, name))
		if err := os.WriteFile(all[len(all)-1], nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	paths := &pool.Paths{Read: all[:1:1], Write: all[1:2]}
	for _, library := range []string{"/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache"} { // of tests with C code in them
		if _, err := os.Stat(library); err == nil {
			paths.Read = append(paths.Read, library)
		}
	}
	// The grace is one in which a worker can tell where it hangs, however slow the machine is.
	for grace := 100 * time.Millisecond; !hangsAndTells(t, paths, all, grace); grace *= 2 {
		if grace >= patience {
			t.Fatalf("a hung worker does not tell its stack in %v", grace)
		}
	}
}

// hangsAndTells asserts what a worker with these paths may open, has it hang, and
// does the same with its replacement. It reports whether both told where they hung.
func hangsAndTells(t *testing.T, paths *pool.Paths, all []string, grace time.Duration) bool {
	t.Helper()
	p := boundedPool(t, pool.Config{Grace: grace, Privileges: pool.Privileges{Paths: paths}})
	for range 2 {
		got := strings.Join(value(t, mayOpen.Submit(t.Context(), p, all)), ", ")
		if got != "read readable, read writable, write writable" {
			t.Errorf("a worker can %s", got)
		}
		_, err := compute.Submit(t.Context(), p, struct{}{}, pool.WithTimeout(100*time.Millisecond)).Result(t.Context())
		timeout, ok := errors.AsType[*pool.TimeoutError](err)
		if !ok {
			t.Fatalf("a hung worker: %+v", err)
		}
		if timeout.Stack == "" {
			return false
		}
	}
	return true
}

// What this machine does not enforce, and what cannot be, is refused at once.
func TestBoundErrors(t *testing.T) {
	for field, config := range map[string]pool.Config{
		"Limits.OpenFiles": {Limits: pool.Limits{OpenFiles: -1}},
		"Privileges.User":  {Privileges: pool.Privileges{User: &pool.User{UID: -1}}},
	} {
		var unfit *pool.ConfigError
		if _, err := pool.NewProcessPool(config); !errors.As(err, &unfit) || unfit.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	_, err := pool.NewProcessPool(pool.Config{Privileges: pool.Privileges{Paths: &pool.Paths{Read: []string{"/no/such/path"}}}})
	var broken *pool.BrokenError
	var privilege *actors.PrivilegeError
	if !errors.As(err, &broken) || !errors.As(err, &privilege) || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}
