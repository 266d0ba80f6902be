package pool_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/pool/pooltest"
	"github.com/stint-go/stint/runtime"
)

// This file is about tasks that are held to the memory that they may take.

// fattening says how a task takes memory.
type fattening struct {
	Bytes int
	For   time.Duration // it holds them; 0: for ever
}

// fatten takes memory at once, holds it, heedless of its context, and gives it back. It
// returns its worker's pid.
var fatten = pool.NewTask("fatten", func(_ context.Context, how fattening) (int, error) {
	piece, err := unix.Mmap(-1, 0, how.Bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	if err != nil {
		return 0, err
	}
	for how.For == 0 {
		time.Sleep(time.Hour)
	}
	time.Sleep(how.For)
	return os.Getpid(), unix.Munmap(piece)
})

// fatLimit is what a task may take in these tests; the garbage collector of a worker takes
// some itself.
const fatLimit = 48 << 20

// SEC-15: a task that takes more memory than it may is ended with its worker, at once, and
// nobody else is harmed.
func TestMemoryOfTask(t *testing.T) {
	p, g := newProcessPool(t, pool.Config{Workers: 2, Grace: patience}), newGate(t)
	other := hold.Submit(t.Context(), p, g.address())
	g.holds(t, 1)
	before := workerPID(t, p)
	f := fatten.Submit(t.Context(), p, fattening{Bytes: 3 * fatLimit}, pool.WithMemory(fatLimit))
	var behind []*futures.Future[int]
	for n := range 20 {
		behind = append(behind, double.Submit(t.Context(), p, n))
	}
	err := failure[*pool.ExcessError](t, f)
	over, ok := err.Why.(*pool.MemoryError)
	if !ok || over.Limit != fatLimit || over.Used <= fatLimit || over.Option != "WithMemory" || over.Err != nil || over.PID != before {
		t.Fatalf("%v: %+v", err, over)
	}
	if err.Err != nil || err.PID != before || alive(before) || err.Task != "fatten" || errors.Is(err, pool.ErrWorkerDied) {
		t.Errorf("%+v", err)
	}
	if text := err.Error(); !strings.Contains(text, "WithMemory is 50331648") || !strings.Contains(text, "more than when the task began") {
		t.Error(text)
	}
	for n, f := range behind {
		if got := value(t, f); got != 2*n {
			t.Errorf("double %d is %d", n, got)
		}
	}
	g.open()
	value(t, other)
	if s := p.Stats(); s.Failed != 1 || s.Started != 3 {
		t.Errorf("%+v", s)
	}
}

// A task within its limit is not ended; nor for what the worker had before.
func TestMemoryOfOthers(t *testing.T) {
	long := fattening{Bytes: fatLimit / 4, For: 350 * time.Millisecond} // several looks
	limit := pool.WithMemory(fatLimit)
	t.Run("within", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1})
		before := workerPID(t, p)
		if after := value(t, fatten.Submit(t.Context(), p, long, limit)); after != before {
			t.Errorf("it ran in %d, not in %d", after, before)
		}
	})
	t.Run("after one that left much", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1})
		before := value(t, leak.Submit(t.Context(), p, leakage{Bytes: 3 * fatLimit}))
		if after := value(t, fatten.Submit(t.Context(), p, long, limit)); after != before {
			t.Errorf("it ran in %d, not in %d", after, before)
		}
	})
	t.Run("one after the other, and one too many", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1, Recycle: pool.Recycle{Memory: 1 << 40}})
		var fs []*futures.Future[int]
		for range 20 {
			fs = append(fs, double.Submit(t.Context(), p, 1), fatten.Submit(t.Context(), p, fattening{Bytes: fatLimit / 2, For: 1}, limit))
		}
		last := fatten.Submit(t.Context(), p, fattening{Bytes: fatLimit * 3 / 2}, limit) // were it measured late it would be within
		for _, f := range fs {
			value(t, f)
		}
		if over, ok := errors.AsType[*pool.MemoryError](failure[*pool.ExcessError](t, last)); !ok || over.Used <= fatLimit {
			t.Errorf("the last: %v", over)
		}
	})
}

// While a worker cannot be looked at its task goes on, but not for long; nor does it wait.
func TestMemoryUnseen(t *testing.T) {
	h, err := runtime.Start(runtime.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(h.Close()) })
	p := newProcessPool(t, pool.Config{Workers: 2, MaxFailures: 100, Host: h})
	eventually(t, "both are ready", func() bool { return p.Stats().Ready == 2 })
	limit := pool.WithMemory(fatLimit)
	before := sleepOn.Submit(t.Context(), p, time.Hour, limit)
	running(t, before)
	var files unix.Rlimit
	must(unix.Getrlimit(unix.RLIMIT_NOFILE, &files))
	t.Cleanup(func() { must(unix.Setrlimit(unix.RLIMIT_NOFILE, &files)) })
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: files.Max}))
	during := sleepOn.Submit(t.Context(), p, time.Hour, limit)
	for _, f := range []*futures.Future[none]{before, during} {
		if err := failure[*pool.KilledError](t, f); !errors.Is(err, syscall.EMFILE) || err.Elapsed < time.Second {
			t.Error(err)
		}
	}
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &files))
	if got := value(t, fatten.Submit(t.Context(), p, fattening{Bytes: fatLimit / 4, For: 1}, limit)); got == 0 {
		t.Error("there is no worker")
	}
}

func init() {
	// It ends its first thread, by which the kernel tells of a process, and lives on.
	programs["without its first thread"] = func() {
		for {
			go func() {
				goruntime.LockOSThread() // each on a thread of its own, until one is on the first
				if unix.Gettid() == os.Getpid() {
					_, _, _ = unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
				}
				time.Sleep(time.Hour)
			}()
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// A process of one task has the bounds and the place that it is given.
func TestProcessBounds(t *testing.T) {
	start := func(t *testing.T, config pool.ProcessConfig) *pool.Process[[2]uint64] {
		p, err := limitsOf.Start(t.Context(), struct{}{}, config)
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Run("limits", func(t *testing.T) {
		p := start(t, pool.ProcessConfig{Limits: pool.Limits{OpenFiles: 99, CoreSize: pool.NoCore}})
		if got := value(t, p.Future()); got != [2]uint64{99, 0} {
			t.Errorf("limits %d", got)
		}
		over(t, p)
	})
	t.Run("directory and environment", func(t *testing.T) {
		dir := t.TempDir()
		env := []string{"FIRST=1", "PATH=" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0"}
		p := startProcess(t, whereabouts, none{}, pool.ProcessConfig{Dir: dir, Env: env})
		if got := value(t, p.Future()); got.Dir != dir || strings.Join(got.Env, " ") != strings.Join(env, " ") {
			t.Errorf("it is in %s, with %q", got.Dir, got.Env)
		}
	})
	t.Run("privileges", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("only root can become another user")
		}
		p := startProcess(t, user, struct{}{}, pool.ProcessConfig{Privileges: pool.Privileges{User: &pool.User{UID: 12345, GID: 12346}}})
		if got := value(t, p.Future()); got != [3]int{12345, 12346, 0} {
			t.Errorf("user, group and groups %d", got)
		}
	})
	t.Run("refused", func(t *testing.T) {
		for field, config := range map[string]pool.ProcessConfig{
			"Limits.OpenFiles": {Limits: pool.Limits{OpenFiles: -1}},
			"Privileges.User":  {Privileges: pool.Privileges{User: &pool.User{UID: -1}}},
			"Dir":              {Dir: filepath.Join(t.TempDir(), "none")},
			"Env":              {Env: []string{"PATH"}},
		} {
			if _, err := pid.Start(t.Context(), none{}, config); !isUnfit(err, field) {
				t.Errorf("%s: %v", field, err)
			}
		}
	})
	heldToMemory(t, new(pooltest.Faults), func(t *testing.T, h *runtime.Host, _ runtime.Limiter) {
		p := startProcess(t, grow, growing{Bytes: tooMuch}, pool.ProcessConfig{Host: h, Limits: pool.Limits{Memory: memoryLimit}})
		died := failure[*pool.WorkerError](t, p.Future())
		if by, ok := errors.AsType[*pool.MemoryError](died); !ok || by.Limit != memoryLimit || by.Option != "Limits.Memory" {
			t.Error(died)
		}
		if why, ok := errors.AsType[*actors.MemoryError](died); !ok || why.Limit != memoryLimit {
			t.Error(died)
		}
		if e := over(t, p); e.Signal != syscall.SIGKILL {
			t.Error(e)
		}
	})
}

// isUnfit reports whether an error is a *ConfigError of that field.
func isUnfit(err error, field string) bool {
	unfit, ok := errors.AsType[*pool.ConfigError](err)
	return ok && unfit.Field == field
}
