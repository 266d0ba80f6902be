//go:build unix

package pool_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor"
)

// crashes are the places at which a worker can end under a task. Each submits a
// task that ends its worker there; spared is the process that may encode and decode
// without harm.
var crashes = map[string]func(ctx context.Context, p pool.Pool, spared int) futures.Awaitable{
	"os.Exit": func(ctx context.Context, p pool.Pool, _ int) futures.Awaitable { return exit.Submit(ctx, p, 3) },
	"a panic that nobody recovers": func(ctx context.Context, p pool.Pool, _ int) futures.Awaitable {
		return crash.Submit(ctx, p, "on purpose")
	},
	"SIGKILL": func(ctx context.Context, p pool.Pool, _ int) futures.Awaitable {
		return killSelf.Submit(ctx, p, syscall.SIGKILL)
	},
	"SIGSEGV": func(ctx context.Context, p pool.Pool, _ int) futures.Awaitable {
		return killSelf.Submit(ctx, p, syscall.SIGSEGV)
	},
	"exit while decoding the argument": func(ctx context.Context, p pool.Pool, spared int) futures.Awaitable {
		return takes.Submit(ctx, p, mischief{Decode: "exit", Host: spared})
	},
	"crash while decoding the argument": func(ctx context.Context, p pool.Pool, spared int) futures.Awaitable {
		return takes.Submit(ctx, p, mischief{Decode: "crash", Host: spared})
	},
	"exit while encoding the result": func(ctx context.Context, p pool.Pool, spared int) futures.Awaitable {
		return gives.Submit(ctx, p, [3]string{"exit", "", itoa(spared)})
	},
	"crash while encoding the result": func(ctx context.Context, p pool.Pool, spared int) futures.Awaitable {
		return gives.Submit(ctx, p, [3]string{"crash", "", itoa(spared)})
	},
}

var (
	// crashBelow has a task of its own crash at a place, and returns the exit code or
	// signal of its worker.
	crashBelow = pool.NewTask("crashBelow", func(ctx context.Context, place string) (string, error) {
		p, err := pool.From(ctx)
		if err != nil {
			return "", err
		}
		err = crashes[place](ctx, p, os.Getpid()).Err(ctx)
		var died *pool.WorkerError
		if !errors.As(err, &died) || died.PID == os.Getpid() {
			return "", err
		}
		return died.Exit.String(), nil
	})
	// killAll waits until as many workers as it is told have written their pids to a
	// file, its own included, and kills them all, its own last.
	killAll = pool.NewTask("killAll", func(ctx context.Context, to appendAll) (none, error) {
		if err := appendToFile(to.File, itoa(os.Getpid())); err != nil {
			return none{}, err
		}
		var pids []int
		for len(pids) < to.Workers && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
			pids = pidsIn(to.File)
		}
		rand.Shuffle(len(pids), func(i, j int) { pids[i], pids[j] = pids[j], pids[i] })
		for _, pid := range pids {
			if pid != os.Getpid() {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may be dead by now
			}
		}
		return none{}, syscall.Kill(os.Getpid(), syscall.SIGKILL)
	})
)

// appendAll is the argument of killAll.
type appendAll struct {
	File    string
	Workers int
}

// pidsIn returns what killAll has written, whole lines only.
func pidsIn(file string) (pids []int) {
	data, _ := os.ReadFile(file)
	pid := 0
	for _, c := range data {
		if c == '\n' {
			pids, pid = append(pids, pid), 0
		} else {
			pid = 10*pid + int(c-'0')
		}
	}
	return pids
}

// TestCrashesFromEveryPlace is LK-1: wherever a worker ends, its task alone fails,
// whoever has submitted it, and the pool works on.
func TestCrashesFromEveryPlace(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2})
	for place, crashAt := range crashes {
		ways := map[string]func(t *testing.T) error{
			"from outside": func(t *testing.T) error {
				return settled(t, crashAt(t.Context(), p, os.Getpid()))
			},
			"from a callback": func(t *testing.T) error {
				submitted := make(chan futures.Awaitable, 1)
				double.Submit(t.Context(), p, 1).OnDone(func(*futures.Future[int]) {
					submitted <- crashAt(t.Context(), p, os.Getpid())
				})
				return settled(t, <-submitted)
			},
			"from the callback of a crash": func(t *testing.T) error {
				submitted := make(chan futures.Awaitable, 1)
				exit.Submit(t.Context(), p, 1).OnDone(func(*future) {
					submitted <- crashAt(t.Context(), p, os.Getpid())
				})
				return settled(t, <-submitted)
			},
		}
		for way, crash := range ways {
			t.Run("LK-1 "+place+", "+way, func(t *testing.T) {
				err := crash(t)
				died, ok := errors.AsType[*pool.WorkerError](err)
				if !ok || died.Exit.Kind == reactor.Unknown || alive(died.PID) {
					t.Errorf("got %T: %v", err, err)
				}
				doubled(t, submit(t, p, 5))
			})
		}
		t.Run("LK-1 "+place+", from a task", func(t *testing.T) {
			if exit := value(t, crashBelow.Submit(t.Context(), p, place)); exit == "" {
				t.Error("its end was not told")
			}
			doubled(t, submit(t, p, 5))
		})
	}
}

// settled waits for a future of any type and returns its error.
func settled(t *testing.T, f futures.Awaitable) error {
	t.Helper()
	awaitSettled(t, f)
	return f.Err(context.Background())
}

// TestCrashRaces is LK-2: workers that kill each other.
func TestCrashRaces(t *testing.T) {
	for _, workers := range []int{1, 2, 5, 13} {
		t.Run("LK-2 "+itoa(workers)+" workers", func(t *testing.T) {
			p := newProcessPool(t, pool.Config{Workers: workers})
			eventually(t, "all are ready", func() bool { return p.Stats().Ready == workers })
			file := t.TempDir() + "/pids"
			var fs []*future
			for range workers {
				fs = append(fs, killAll.Submit(t.Context(), p, appendAll{file, workers}))
			}
			for _, f := range fs {
				if err := failure[*pool.WorkerError](t, f); err.Exit.Signal != syscall.SIGKILL {
					t.Errorf("LK-2: got %v", err)
				}
			}
			doubled(t, submit(t, p, 100))
			if s := p.Stats(); s.Lost != uint64(workers) {
				t.Errorf("LK-2: %+v", s)
			}
		})
	}
}
