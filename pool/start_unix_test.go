//go:build unix

package pool_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// The programs of this file are what workers are instead of this test: the host
// is the test itself, and sets the variable that names them.

const (
	startsKey  = "POOL_TEST_STARTS"  // a file, to which each start adds a line
	failingKey = "POOL_TEST_FAILING" // a file: while there is one, workers fail to start
)

func init() {
	noted := func(main func()) func() {
		return func() {
			if err := appendToFile(os.Getenv(startsKey), itoa(os.Getpid())); err != nil {
				panic(err)
			}
			main()
		}
	}
	programs["exits"] = noted(func() {
		os.Stderr.WriteString("no licence found\n")
		os.Exit(5)
	})
	programs["sleeps"] = noted(func() { time.Sleep(time.Hour) })
	programs["forgot Main"] = noted(func() {
		p, err := pool.NewProcessPool(pool.Config{Workers: 2})
		panic(errors.Join(errors.New("a worker has workers"), err, p.Close()))
	})
	programs["forgot Main, other pool"] = noted(func() {
		_, err := pool.NewGoroutinePool(pool.Config{})
		panic(errors.Join(errors.New("a worker has a pool"), err))
	})
	programs["talks nonsense"] = noted(func() {
		_, _ = syscall.Write(channelOut, []byte("220 mail.example ESMTP ready to serve you\r\n"))
		time.Sleep(time.Hour)
	})
	programs["has little memory"] = noted(func() {
		go func() {
			var m runtime.MemStats
			for ; m.HeapAlloc < large/4; runtime.ReadMemStats(&m) {
				time.Sleep(time.Millisecond)
			}
			os.Exit(7)
		}()
		pool.Main()
	})
	programs["fails from the fourth on"] = noted(func() {
		if data, err := os.ReadFile(os.Getenv(startsKey)); err != nil || strings.Count(string(data), "\n") > 3 {
			os.Exit(8)
		}
		pool.Main()
	})
	programs["fails at times"] = noted(func() {
		if _, err := os.Stat(os.Getenv(failingKey)); err == nil {
			os.Stderr.WriteString("not today\n")
			os.Exit(6)
		}
		pool.Main()
	})
}

// startAs has the workers that this test starts be another program, and returns
// the file to which each of their starts adds a line.
func startAs(t *testing.T, name string) (starts string) {
	starts = t.TempDir() + "/starts"
	t.Setenv(programKey, name)
	t.Setenv(startsKey, starts)
	return starts
}

// TestWorkersThatCannotStart, SEC-15: the constructor says why, soon, and leaves
// nothing. PY-PP-10.
func TestWorkersThatCannotStart(t *testing.T) {
	const workers, failures = 3, 4
	for name, c := range map[string]struct {
		config  pool.Config
		starts  int // at most
		matches error
		words   []string
		stderr  string
	}{
		"exits": {
			starts: workers + failures,
			words:  []string{"exited with code 5", "no licence found"}, stderr: "no licence found\n",
		},
		"sleeps": {
			config: pool.Config{StartTimeout: 100 * time.Millisecond},
			starts: workers + failures,
			words:  []string{"100ms"},
		},
		"forgot Main": {
			starts: workers, matches: pool.ErrNoMain,
			words: []string{"pool.Main()"}, stderr: "pool.Main()",
		},
		"forgot Main, other pool": {
			starts: workers, matches: pool.ErrNoMain,
			words: []string{"pool.Main()"}, stderr: "pool.Main()",
		},
		"talks nonsense": {
			starts: workers + failures,
			words:  []string{"worker"},
		},
	} {
		t.Run("PY-PP-10 PY-P-11 "+name, func(t *testing.T) {
			starts := startAs(t, name)
			stderr := &lockedBuffer{}
			c.config.Workers, c.config.MaxFailures, c.config.FailureWindow = workers, failures, patience
			c.config.Stderr, c.config.Logger = stderr, slog.New(slog.DiscardHandler)
			begin := time.Now()
			p, err := pool.NewProcessPool(c.config)
			var broken *pool.BrokenError
			if p != nil || !errors.As(err, &broken) || !errors.Is(err, pool.ErrBroken) {
				t.Fatalf("got %v, %v", p, err)
			}
			if took := time.Since(begin); took > patience/2 {
				t.Errorf("it took %v", took)
			}
			if c.matches != nil && !errors.Is(err, c.matches) {
				t.Errorf("it does not match %v: %v", c.matches, err)
			}
			for _, word := range c.words {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("it does not say %q: %v", word, err)
				}
			}
			if !strings.Contains(broken.Stderr, c.stderr) || !strings.Contains(stderr.String(), c.stderr) {
				t.Errorf("standard error is told as %q, and was %q", broken.Stderr, stderr)
			}
			if n := len(lines(t, starts)); n > c.starts {
				t.Errorf("%d processes were started", n)
			}
		})
	}
}

// TestPoolBreaks: workers cannot be started any more. What runs goes on, what
// nobody is left to run fails, and nothing more is accepted.
func TestPoolBreaks(t *testing.T) {
	starts := startAs(t, "fails at times")
	failing := t.TempDir() + "/failing"
	t.Setenv(failingKey, failing)
	p := newProcessPool(t, pool.Config{Workers: 2, MaxFailures: 2})
	eventually(t, "both are ready", func() bool { return p.Stats().Ready == 2 })
	ctx, cancel := context.WithCancel(t.Context())
	file := t.TempDir() + "/pid"
	runs := running(t, untilCancelled.Submit(ctx, p, none{}))
	dies := announce.Submit(t.Context(), p, file)
	waits := spin.Submit(t.Context(), p, none{})
	eventually(t, "the task has told its pid", func() bool { return len(lines(t, file)) == 1 })

	if err := appendToFile(failing, ""); err != nil {
		t.Fatal(err)
	}
	send(t, atoi(lines(t, file)[0]), syscall.SIGKILL)
	failure[*pool.WorkerError](t, dies)
	eventually(t, "the pool is broken", func() bool {
		f := double.Submit(t.Context(), p, 1)
		f.Cancel()
		return f.State() == futures.Failed
	})
	if err := failure[*pool.BrokenError](t, double.Submit(t.Context(), p, 1)); !errors.Is(err, pool.ErrBroken) ||
		!strings.Contains(err.Error(), "not today") || !strings.Contains(err.Error(), "exited with code 6") {
		t.Errorf("got %v", err)
	}
	if runs.State() != futures.Running || waits.State() != futures.Pending {
		t.Errorf("the running task is %v, the waiting one %v", runs.State(), waits.State())
	}
	cancel()
	value(t, runs)
	running(t, waits).Kill() // and with it the last worker
	failure[*pool.KilledError](t, waits)
	if n := len(lines(t, starts)); n > 2+4 {
		t.Errorf("%d processes were started", n)
	}
	if err := p.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// TestPoolBreaksUnderTasks: with its last worker gone a broken pool fails all
// that it has accepted.
func TestPoolBreaksUnderTasks(t *testing.T) {
	startAs(t, "fails at times")
	failing := t.TempDir() + "/failing"
	t.Setenv(failingKey, failing)
	p := newProcessPool(t, pool.Config{Workers: 1, MaxFailures: 2})
	hung := running(t, spin.Submit(t.Context(), p, none{}))
	var fs []*futures.Future[int]
	for n := range 100 {
		fs = append(fs, double.Submit(t.Context(), p, n))
	}
	if err := appendToFile(failing, ""); err != nil {
		t.Fatal(err)
	}
	hung.Kill()
	failure[*pool.KilledError](t, hung)
	for _, f := range fs {
		if err := failure[*pool.BrokenError](t, f); !errors.Is(err, pool.ErrBroken) {
			t.Fatalf("got %v", err)
		}
	}
	if s := p.Stats(); s.Failed != 101 || s.Ready != 0 {
		t.Errorf("the figures: %+v", s)
	}
}

// TestArgumentThatKills, SEC-15: a task whose workers die before they have begun it, one
// after another, fails in the end, also where spares take their place at once; it
// does not cost workers for ever. (Only what comes by the socket has to be read before
// the task begins.)
func TestArgumentThatKills(t *testing.T) {
	for _, spares := range []int{pool.NoSpares, 2} {
		starts := startAs(t, "has little memory")
		p := newProcessPool(t, pool.Config{Workers: 1, Spares: spares, SharedMemory: pool.NoSharedMemory})
		eventually(t, "the spares", func() bool { return p.Stats().Spare == max(spares, 0) })
		f := length.Submit(t.Context(), p, make([]byte, large))
		after := double.Submit(t.Context(), p, 4)
		err := failure[*pool.QuarantineError](t, f)
		last, ok := errors.AsType[*pool.WorkerError](err)
		if err.Workers != 3 || len(err.Attempts) != 0 || err.Argument < large || !ok || last.PID == 0 || last.Exit.Code != 7 {
			t.Errorf("got %+v", err)
		}
		t.Log(err)
		if got := value(t, after); got != 8 {
			t.Errorf("the task behind it: %d", got)
		}
		if n := len(lines(t, starts)); n > 6+max(spares, 0) {
			t.Errorf("%d workers were started", n)
		}
	}
}

// TestPoolRecovers: workers that cannot be started for a while do not break a
// pool that has the patience.
func TestPoolRecovers(t *testing.T) {
	startAs(t, "fails at times")
	failing := t.TempDir() + "/failing"
	t.Setenv(failingKey, failing)
	p := newProcessPool(t, pool.Config{Workers: 1, MaxFailures: 100})
	if err := appendToFile(failing, ""); err != nil {
		t.Fatal(err)
	}
	before := p.Stats().Started
	failure[*pool.WorkerError](t, exit.Submit(t.Context(), p, 1))
	f := double.Submit(t.Context(), p, 4)
	eventually(t, "starts have failed", func() bool { return p.Stats().Started >= before+3 })
	if f.State() != futures.Pending {
		t.Errorf("the task is %v", f.State())
	}
	if err := os.Remove(failing); err != nil {
		t.Fatal(err)
	}
	if got := value(t, f); got != 8 {
		t.Errorf("got %d", got)
	}
}
