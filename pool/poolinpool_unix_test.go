//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// This file is about process pools that tasks make in their workers.

var (
	// poolsBelow makes a pool of its own and calls itself there, until it is refused.
	// It returns how many pools it has made.
	poolsBelow *pool.Task[none, int]
	// spinBelow tells its worker's pid, makes a pool of its own, and waits for tasks in
	// there that tell theirs and hang; down to the depth that it is told.
	spinBelow *pool.Task[hangBelow, none]
	// leavePool makes a pool of its own, whose worker tells its pid, and leaves it.
	leavePool = pool.NewTask("leavePool", func(ctx context.Context, file string) (none, error) {
		p, err := pool.NewProcessPool(pool.Config{Workers: 1})
		if err != nil {
			return none{}, err
		}
		return tellIn.Submit(ctx, p, file).Result(ctx)
	})
	// tellIn adds its worker's pid to a file.
	tellIn = pool.NewTask("tellIn", func(_ context.Context, file string) (none, error) {
		return none{}, appendToFile(file, itoa(os.Getpid()))
	})
)

// hangBelow is the argument of spinBelow.
type hangBelow struct {
	File  string
	Depth int
}

func init() {
	poolsBelow = pool.NewTask("poolsBelow", func(ctx context.Context, _ none) (int, error) {
		p, err := pool.NewProcessPool(pool.Config{Workers: 1})
		var deep *pool.DepthError
		if errors.As(err, &deep) && deep.Depth == pool.MaxPoolDepth+1 {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		n, err := poolsBelow.Submit(ctx, p, none{}).Result(ctx)
		return n + 1, errors.Join(err, p.Close())
	})
	spinBelow = pool.NewTask("spinBelow", func(ctx context.Context, h hangBelow) (none, error) {
		if err := appendToFile(h.File, itoa(os.Getpid())); err != nil {
			return none{}, err
		}
		if h.Depth == 0 {
			for n := 0; ; n++ {
			}
		}
		p, err := pool.NewProcessPool(pool.Config{Workers: 2})
		if err != nil {
			return none{}, err
		}
		fs := []*futures.Future[none]{
			spinBelow.Submit(context.Background(), p, hangBelow{h.File, h.Depth - 1}),
			spinBelow.Submit(context.Background(), p, hangBelow{h.File, h.Depth - 1}),
		}
		for range futures.AsCompleted(context.Background(), fs) {
		}
		return none{}, errors.New("those that hang have ended")
	})
	programs["host of hosts"] = func() {
		pool.Main()
		p, err := pool.NewProcessPool(pool.Config{Workers: 1})
		must(err)
		spinBelow.Submit(context.Background(), p, hangBelow{os.Getenv(pidsKey), 2})
		fmt.Println("ready")
		select {}
	}
}

// TestPoolDepth is LK-12: pools nest to a depth, and deeper ones are refused.
func TestPoolDepth(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	if got := value(t, poolsBelow.Submit(t.Context(), p, none{})); got != pool.MaxPoolDepth-1 {
		t.Errorf("LK-12: %d pools below one, want %d", got, pool.MaxPoolDepth-1)
	}
}

// nest has a task hang in pools in pools, and returns the pids of all workers: one,
// two below it, and four below these.
func nest(t *testing.T, p pool.Pool, options ...pool.Option) (f *future, pids []int) {
	t.Helper()
	file := t.TempDir() + "/pids"
	f = spinBelow.Submit(t.Context(), p, hangBelow{file, 2}, options...)
	eventually(t, "all have told their pids", func() bool { return len(lines(t, file)) == 7 })
	for _, line := range lines(t, file) {
		pids = append(pids, atoi(line))
	}
	return f, pids
}

// gone waits until processes are gone.
func gone(t *testing.T, pids []int) {
	t.Helper()
	eventually(t, "the processes are gone", func() bool { return !slices.ContainsFunc(pids, lives) })
}

// TestPoolsEnd: with a worker, however it ends, go the workers of its tasks.
func TestPoolsEnd(t *testing.T) {
	t.Run("LK-5 the pool is killed", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1})
		f, pids := nest(t, p)
		begin := time.Now()
		if err := p.Shutdown(t.Context(), pool.Kill); err != nil {
			t.Error(err)
		}
		failure[*pool.KilledError](t, f)
		gone(t, pids)
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("LK-5: it took %v", took)
		}
	})

	t.Run("the task is over its limit", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1})
		file := t.TempDir() + "/pids"
		f := spinBelow.Submit(t.Context(), p, hangBelow{file, 1}, pool.WithTimeout(500*time.Millisecond))
		failure[*pool.TimeoutError](t, f)
		for _, line := range lines(t, file) {
			gone(t, []int{atoi(line)})
		}
	})

	t.Run("the worker is killed", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1})
		f, pids := nest(t, p)
		send(t, pids[0], syscall.SIGKILL)
		failure[*pool.WorkerError](t, f)
		gone(t, pids)
	})

	t.Run("the task leaves its pool open", func(t *testing.T) {
		p, file := newProcessPool(t, pool.Config{Workers: 1}), t.TempDir()+"/pids"
		value(t, leavePool.Submit(t.Context(), p, file))
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		gone(t, []int{atoi(lines(t, file)[0])})
	})

	t.Run("PY-P-1 LK-6 the host is killed", func(t *testing.T) {
		pids := t.TempDir() + "/pids"
		cmd := program(t.Context(), "host of hosts", pidsKey+"="+pids)
		begin(t, cmd)
		eventually(t, "all have told their pids", func() bool { return len(lines(t, pids)) == 7 })
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		for _, line := range lines(t, pids) {
			gone(t, []int{atoi(line)})
		}
	})
}
