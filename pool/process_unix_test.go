//go:build unix

package pool_test

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

var (
	// descriptors returns what a worker has open, as device and inode.
	descriptors = pool.NewTask("descriptors", func(context.Context, none) ([]string, error) { return openFiles() })
	// closeStandard closes a worker's standard files.
	closeStandard = pool.NewTask("closeStandard", func(context.Context, none) (none, error) {
		return none{}, errors.Join(os.Stdin.Close(), os.Stdout.Close(), os.Stderr.Close())
	})
	environment = pool.NewTask("environment", func(context.Context, none) ([]string, error) {
		return append(os.Environ(), os.Args...), nil
	})
)

func openFiles() (files []string, err error) {
	for fd := range 256 {
		var stat syscall.Stat_t
		if syscall.Fstat(fd, &stat) == nil {
			files = append(files, itoa(int(stat.Dev))+":"+itoa(int(stat.Ino)))
		}
	}
	return files, nil
}

// TestWorkersDescriptors is PY-P-7, PY-P-10 and SEC-1: a worker has what was
// handed to it, no more with many siblings than with none, and none of the
// host's files, however they were opened.
func TestWorkersDescriptors(t *testing.T) {
	secret, err := os.Create(t.TempDir() + "/secret")
	if err != nil {
		t.Fatal(err)
	}
	defer secret.Close()
	leaky, err := syscall.Dup(int(secret.Fd())) // not closed on exec
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(leaky)
	var stat syscall.Stat_t
	if err := syscall.Fstat(leaky, &stat); err != nil {
		t.Fatal(err)
	}

	alone := value(t, descriptors.Submit(t.Context(), newProcessPool(t, pool.Config{Workers: 1}), none{}))
	p := newProcessPool(t, pool.Config{Workers: 8})
	eventually(t, "all are ready", func() bool { return p.Stats().Ready == 8 })
	var fs []*futures.Future[[]string]
	for range 50 {
		fs = append(fs, descriptors.Submit(t.Context(), p, none{}))
	}
	for _, f := range fs {
		files := value(t, f)
		if len(files) != len(alone) {
			t.Errorf("PY-P-7: %d descriptors, and %d without siblings", len(files), len(alone))
		}
		if slices.Contains(files, itoa(int(stat.Dev))+":"+itoa(int(stat.Ino))) {
			t.Error("PY-P-10 SEC-1: the host's own file is open")
		}
	}
}

// TestWorkersEnvironment: a worker's environment is its host's; what it starts
// is no worker. SEC-2.
func TestWorkersEnvironment(t *testing.T) {
	t.Setenv("POOL_TEST_SECRET", "of the host")
	p := newProcessPool(t, pool.Config{Workers: 1})
	all := value(t, environment.Submit(t.Context(), p, none{}))
	if !slices.Contains(all, "POOL_TEST_SECRET=of the host") {
		t.Errorf("the environment does not come along: %q", all)
	}
	if slices.ContainsFunc(all, func(s string) bool { return strings.HasPrefix(s, "STINT_WORKER") }) {
		t.Errorf("a worker's children are workers: %q", all)
	}
}

// TestClosedStandardFiles is PY-P-8.
func TestClosedStandardFiles(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	before := workerPID(t, p)
	value(t, closeStandard.Submit(t.Context(), p, none{}))
	if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 || workerPID(t, p) != before {
		t.Errorf("PY-P-8: got %d", got)
	}
	err := failure[*pool.WorkerError](t, exit.Submit(t.Context(), p, 0))
	if err.Exit.Code != 0 || err.PID != before {
		t.Errorf("PY-P-8: got %v", err)
	}
}

// TestSignalsAtTheHost is PY-P-12: signals that interrupt system calls lose
// nothing.
func TestSignalsAtTheHost(t *testing.T) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	defer signal.Stop(c)
	stop, stopped := make(chan none), make(chan none)
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Microsecond):
				_ = syscall.Kill(os.Getpid(), syscall.SIGUSR1)
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for range 5 {
		p := newProcessPool(t, pool.Config{Workers: 2, Grace: pool.NoGrace})
		hung := spin.Submit(t.Context(), p, none{}, pool.WithTimeout(30*time.Millisecond)) // a limit for this one alone: the others must succeed
		died := exit.Submit(t.Context(), p, 3)
		for n := range 100 {
			if got := value(t, double.Submit(t.Context(), p, n)); got != 2*n {
				t.Errorf("PY-P-12: double %d is %d", n, got)
			}
		}
		failure[*pool.TimeoutError](t, hung)
		if err := failure[*pool.WorkerError](t, died); err.Exit.Code != 3 {
			t.Errorf("PY-P-12: got %v", err)
		}
		if err := p.Close(); err != nil {
			t.Errorf("PY-P-12: Close: %v", err)
		}
	}
}

// TestShutdownKill is PY-PP-6, PY-PP-7 and PY-PP-8.
func TestShutdownKill(t *testing.T) {
	t.Run("PY-PP-6 what runs is killed", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 3})
		var fs []*futures.Future[none]
		for range 3 {
			fs = append(fs, running(t, spin.Submit(t.Context(), p, none{})))
		}
		pending := spin.Submit(t.Context(), p, none{})
		if err := p.Shutdown(t.Context(), pool.Kill); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		for _, f := range fs {
			err := failure[*pool.KilledError](t, f)
			if !errors.Is(err, pool.ErrShutdown) || !errors.Is(err, pool.ErrKilled) || alive(err.PID) {
				t.Errorf("got %v", err)
			}
		}
		if err := failure[*futures.CancelledError](t, pending); !errors.Is(err, pool.ErrShutdown) {
			t.Errorf("the pending one: %v", err)
		}
		t.Log("PY-PP-8")
		if err := failure[error](t, double.Submit(t.Context(), p, 1)); !errors.Is(err, pool.ErrClosed) {
			t.Errorf("PY-PP-8 afterwards: %v", err)
		}
	})
	t.Run("PY-PP-7 dead workers do not matter", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 2})
		for range 4 {
			killSelf.Submit(t.Context(), p, syscall.SIGKILL)
		}
		if err := p.Shutdown(t.Context(), pool.Kill); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := p.Shutdown(t.Context(), pool.Kill); err != nil {
			t.Errorf("Shutdown again: %v", err)
		}
	})
}

// TestManyWorkers is PY-PP-9: more workers than Windows can wait for at once.
func TestManyWorkers(t *testing.T) {
	const workers = 70
	p := newProcessPool(t, pool.Config{Workers: workers})
	eventually(t, "all are ready", func() bool { return p.Stats().Ready == workers })
	var fs []*futures.Future[none]
	for range workers {
		fs = append(fs, sleep.Submit(t.Context(), p, time.Hour))
	}
	for _, f := range fs {
		running(t, f)
	}
	if s := p.Stats(); s.Busy != workers || s.Running != workers {
		t.Errorf("PY-PP-9: the figures: %+v", s)
	}
	if err := p.Shutdown(t.Context(), pool.Kill); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	for _, f := range fs {
		failure[*pool.KilledError](t, f)
	}
}
