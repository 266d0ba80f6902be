package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/pool/pooltest"
	"github.com/stint-go/stint/runtime"
)

// growing says how far a task that takes memory is to go.
type growing struct {
	Bytes int
	Once  string // a file: if it is there nothing is taken, else it is made
}

var (
	// grow takes memory, four megabytes at a time, and holds it until it has enough.
	grow = pool.NewTask("grow", func(_ context.Context, how growing) (int, error) {
		const step = 4 << 20
		if how.Once != "" {
			f, err := os.OpenFile(how.Once, os.O_CREATE|os.O_EXCL, 0o600)
			if errors.Is(err, os.ErrExist) {
				return 0, nil
			}
			f.Close()
		}
		var all [][]byte
		for size := 0; size < how.Bytes; size += step {
			piece, err := unix.Mmap(-1, 0, step, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
			if err != nil {
				return size, err
			}
			all = append(all, piece)
			time.Sleep(2 * time.Millisecond)
		}
		for _, piece := range all {
			if err := unix.Munmap(piece); err != nil {
				return 0, err
			}
		}
		return how.Bytes, nil
	})
	// pidWhen returns the worker's pid as soon as a file is there.
	pidWhen = pool.NewTask("pidWhen", func(ctx context.Context, path string) (int, error) {
		for {
			if _, err := os.Stat(path); err == nil || ctx.Err() != nil {
				return os.Getpid(), ctx.Err()
			}
			time.Sleep(time.Millisecond)
		}
	})
)

const (
	memoryLimit = 256 << 20
	tooMuch     = 2 << 30
)

// heldToMemory starts a host for each way to hold workers to their memory that this machine has.
func heldToMemory(t *testing.T, faults *pooltest.Faults, test func(t *testing.T, h *runtime.Host, by runtime.Limiter)) {
	for _, by := range []runtime.Limiter{runtime.LimitCgroup, runtime.LimitWatch} {
		t.Run(by.String(), func(t *testing.T) {
			h, err := runtime.Start(runtime.Config{Limiter: by, Faults: faults, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := h.Close(); err != nil {
					t.Error(err)
				}
			})
			if inForce, why := h.Limiter(); inForce != by {
				t.Skipf("not on this machine: %v", why)
			}
			test(t, h, by)
		})
	}
}

// SEC-15: a task whose worker takes more memory than it may fails, once, and is told why; a
// replacement serves, and another worker's task goes on.
func TestMemoryLimit(t *testing.T) {
	heldToMemory(t, new(pooltest.Faults), func(t *testing.T, h *runtime.Host, by runtime.Limiter) {
		dir := t.TempDir()
		p, err := pool.NewProcessPool(pool.Config{
			Workers: 2, Host: h, Limits: pool.Limits{Memory: memoryLimit}, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close() })
		other := pidWhen.Submit(t.Context(), p, filepath.Join(dir, "go"))

		died := failure[*pool.WorkerError](t, grow.Submit(t.Context(), p, growing{Bytes: tooMuch}))
		over, ok := errors.AsType[*pool.MemoryError](died)
		if !ok || died.Exit.Signal != syscall.SIGKILL || !errors.Is(died, pool.ErrWorkerDied) {
			t.Fatal(died)
		}
		if over.Run != died.Run || over.Task != "grow" || over.PID == 0 || over.Limit != memoryLimit || over.Used < memoryLimit*9/10 {
			t.Errorf("%+v of %+v", *over, died.Run)
		}
		if why, ok := errors.AsType[*actors.MemoryError](died); !ok || (why.Killed > 0) != (by == runtime.LimitCgroup) {
			t.Errorf("by %v: %v", by, died)
		}

		once := growing{Bytes: tooMuch, Once: filepath.Join(dir, "once")}
		if got := value(t, grow.Submit(t.Context(), p, once, pool.WithRetry(pool.Retry{Attempts: 2}))); got != 0 {
			t.Errorf("at another attempt: %d", got)
		}
		if got := value(t, grow.Submit(t.Context(), p, growing{Bytes: 64 << 20})); got != 64<<20 {
			t.Errorf("within the limit: %d", got)
		}
		if err := os.WriteFile(filepath.Join(dir, "go"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if pid := value(t, other); pid == over.PID {
			t.Error("it ran in the worker that was killed")
		}
		if s := p.Stats(); s.Failed != 1 || s.Succeeded != 3 {
			t.Errorf("%+v", s)
		}
	})
}

// A worker that needs more than it may to start with is no worker, also when its channel's
// end is known long before its own.
func TestMemoryLimitTooSmall(t *testing.T) {
	for _, late := range []time.Duration{0, 100 * time.Millisecond} {
		t.Run(fmt.Sprintf("told %v late", late), func(t *testing.T) {
			var faults pooltest.Faults
			heldToMemory(t, &faults, func(t *testing.T, h *runtime.Host, _ runtime.Limiter) {
				faults.HoldExits(1, late)
				_, err := pool.NewProcessPool(pool.Config{
					Workers: 1, Host: h, Limits: pool.Limits{Memory: actors.LeastMemory}, MaxFailures: 1, Initializer: hoards.With(64 << 20),
				})
				var broken *pool.BrokenError
				var over *actors.MemoryError
				if !errors.As(err, &broken) || !errors.As(err, &over) || over.Limit != actors.LeastMemory {
					t.Error(err)
				}
			})
		})
	}
}

// hoards is a state that has so much resident as long as there is a worker.
var hoards = pool.NewState("hoards", func(ctx context.Context, size int) ([]byte, error) {
	b := bytes.Repeat([]byte{1}, size)
	<-ctx.Done()
	return b, ctx.Err()
}, nil)

// What this machine cannot enforce the constructor tells, by name.
func TestMemoryLimitRefused(t *testing.T) {
	h, err := runtime.Start(runtime.Config{Containment: runtime.ContainGroup, Limiter: runtime.LimitWatch, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	_, err = pool.NewProcessPool(pool.Config{Workers: 1, Host: h, Limits: pool.Limits{Memory: memoryLimit}})
	var limit *pool.LimitError
	if !errors.As(err, &limit) || limit.Limit != "Memory" || limit.Value != memoryLimit {
		t.Error(err)
	}
	var unfit *pool.ConfigError
	for _, memory := range []int64{-1, 1, actors.LeastMemory - 1} { // less would be the host's end, too
		if _, err := pool.NewProcessPool(pool.Config{Limits: pool.Limits{Memory: memory}}); !errors.As(err, &unfit) || unfit.Field != "Limits.Memory" {
			t.Errorf("%d: %v", memory, err)
		}
	}
}
