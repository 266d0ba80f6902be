//go:build unix

package pooltest_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime"
)

func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0") // under the race detector a process takes a second to exit otherwise
	pool.Main()
	leaktest.Main(m)
}

// patience is how long a test waits for what should come soon.
const patience = 30 * time.Second

// entry is a line in a ledger.
type entry struct {
	Ledger string
	N      int
}

// enter notes that it runs, and returns its number.
var enter = pool.NewTask("enter", func(_ context.Context, e entry) (int, error) {
	f, err := os.OpenFile(e.Ledger, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	_, err = f.WriteString(strconv.Itoa(e.N) + "\n")
	return e.N, err
})

// end ends its worker.
var end = pool.NewTask("end", func(_ context.Context, code int) (int, error) {
	os.Exit(code)
	return 0, nil
})

// hang does not heed its deadline.
var hang = pool.NewTask("hang", func(context.Context, int) (int, error) {
	time.Sleep(time.Hour)
	return 0, nil
})

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// trial is work for a pool that something happens to, and what came of it.
type trial struct {
	t       *testing.T
	pool    *pool.ProcessPool
	ledger  string
	futures []*futures.Future[int]
	calls   [singles]atomic.Int32 // back, of each
	items   []error
	extra   int  // tasks of the pool that are not of this work, and failed
	spoilt  bool // results may be others than those that were sent
}

const (
	singles = 12 // tasks, one by one
	items   = 12 // of a map, in chunks
)

// config is that of a pool with two workers and a spare, whose tasks have as long as
// the test has.
func config(host *runtime.Host) pool.Config {
	return pool.Config{
		Workers: 2, Host: host, TaskTimeout: patience, Grace: 20 * time.Millisecond, StopTimeout: 100 * time.Millisecond,
		StartTimeout: patience, MaxFailures: 1000, Logger: slog.New(slog.DiscardHandler), Stderr: discard{},
	}
}

// discard drops what workers say.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// try has a pool work, whatever happens meanwhile.
func try(t *testing.T, p *pool.ProcessPool, spoilt bool) *trial {
	t.Helper()
	w := &trial{t: t, pool: p, spoilt: spoilt, ledger: filepath.Join(t.TempDir(), "ledger")}
	for n := range singles {
		f := enter.Submit(t.Context(), p, entry{w.ledger, n})
		f.OnDone(func(*futures.Future[int]) { w.calls[n].Add(1) })
		w.futures = append(w.futures, f)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all []entry
	for n := range items {
		all = append(all, entry{w.ledger, singles + n})
	}
	for got, err := range enter.Map(ctx, p, slices.Values(all), pool.WithChunkSize(4)) {
		if n := singles + len(w.items); err == nil && got != n && !spoilt {
			t.Errorf("item %d is %d", n, got)
		}
		w.items = append(w.items, err)
	}
	return w
}

// check holds the trial against what always holds. It returns how many have failed.
func (w *trial) check() (failed int) {
	w.t.Helper()
	ran := make([]int, singles+items)
	var outcomes []error
	for n, f := range w.futures {
		select {
		case <-f.Done():
		case <-time.After(patience):
			w.t.Fatalf("task %d is still %v; %+v", n, f.State(), w.pool.Stats())
		}
		got, err := f.Result(context.Background())
		if err == nil && got != n && !w.spoilt {
			w.t.Errorf("task %d is %d", n, got)
		}
		outcomes = append(outcomes, err)
	}
	if len(w.items) != items {
		w.t.Errorf("%d of %d items came: %v", len(w.items), items, w.items)
	}
	data, _ := os.ReadFile(w.ledger)
	for line := range strings.Lines(string(data)) {
		if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil {
			ran[n]++
		}
	}
	for n, err := range append(outcomes, w.items...) {
		if err != nil {
			failed++
		}
		if ran[n] > 1 || err == nil && ran[n] != 1 {
			w.t.Errorf("task %d ran %d times: %v", n, ran[n], err)
		}
	}
	if s := w.pool.Stats(); s.Submitted != uint64(singles+items+w.extra) || s.Settled() != s.Submitted || s.Failed != uint64(failed+w.extra) {
		w.t.Errorf("%d have failed: %+v", failed, s)
	}
	return failed + w.afterwards()
}

// afterwards: the pool serves, and ends; nothing calls back again. It returns how
// many tasks have failed, as what was to happen may happen only now.
func (w *trial) afterwards() (failed int) {
	w.t.Helper()
	for served := 0; served < 8; {
		f := enter.Submit(w.t.Context(), w.pool, entry{w.ledger, 0})
		if got, err := f.Result(w.t.Context()); err == nil && (got == 0 || w.spoilt) {
			served++
		} else if w.spoilt && errors.Is(err, pool.ErrBroken) {
			break // a worker seemed to be of another build
		} else if failed++; failed > 3 {
			w.t.Fatalf("afterwards, the last of %d failures: %d, %v", failed, got, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.pool.Shutdown(ctx, pool.Drain); err != nil {
		w.t.Errorf("the pool did not end: %v; %+v", err, w.pool.Stats())
	}
	for n := range w.calls {
		for deadline := time.Now().Add(patience); w.calls[n].Load() == 0 && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if calls := w.calls[n].Load(); calls != 1 {
			w.t.Errorf("task %d called back %d times", n, calls)
		}
	}
	return failed
}
