//go:build unix

package pool_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// perWorker submits n tasks at once and returns how many of them each worker ran.
func perWorker(t testing.TB, p pool.Pool, n int) map[int]int {
	t.Helper()
	var fs []*futures.Future[int]
	for range n {
		fs = append(fs, pid.Submit(t.Context(), p, none{}))
	}
	ran := make(map[int]int)
	for _, f := range fs {
		ran[value(t, f)]++
	}
	return ran
}

// TestRecycleByTasks: each worker runs exactly as many tasks as it may, and no
// task is lost by it.
func TestRecycleByTasks(t *testing.T) {
	t.Run("PY-PP-4 the fourth task runs in another process", func(t *testing.T) {
		said := &lockedBuffer{}
		p := newProcessPool(t, pool.Config{Workers: 1, Recycle: pool.Recycle{Tasks: 3}, Logger: logTo(said)})
		var pids []int
		for range 6 {
			pids = append(pids, workerPID(t, p))
		}
		if a, b := pids[0], pids[3]; a == b || !slices.Equal(pids, []int{a, a, a, b, b, b}) {
			t.Errorf("the workers were %v", pids)
		}
		eventually(t, "two workers were recycled, and there is one", func() bool {
			s := p.Stats()
			return s.Recycled == 2 && s.Ready == 1 && s.Failed == 0
		})
		if text := said.String(); text != "" {
			t.Errorf("the log: %s", text)
		}
	})
	t.Run("PY-MPP-10 many tasks sent ahead", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 2, Recycle: pool.Recycle{Tasks: 10}})
		total := 0
		for _, n := range perWorker(t, p, 200) {
			if total += n; n > 10 {
				t.Errorf("a worker has run %d tasks", n)
			}
		}
		if s := p.Stats(); total != 200 || s.Started < 20 || s.Lost != 0 {
			t.Errorf("%d tasks, %+v", total, s)
		}
	})
	for _, workers := range []int{1, 2} {
		t.Run("PY-PP-5 PY-MPP-11 one task each, and closed early", func(t *testing.T) {
			p := newProcessPool(t, pool.Config{Workers: workers, Recycle: pool.Recycle{Tasks: 1}})
			fs := submit(t, p, 6)
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			doubled(t, fs)
		})
	}
	t.Run("with a spare", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1, Spares: 1, Recycle: pool.Recycle{Tasks: 1}})
		if ran := perWorker(t, p, 10); len(ran) != 10 {
			t.Errorf("10 tasks ran in %d processes", len(ran))
		}
	})
	t.Run("the finalizer runs", func(t *testing.T) {
		file := t.TempDir() + "/log"
		p := newProcessPool(t, pool.Config{Workers: 1, Recycle: pool.Recycle{Tasks: 1}, Initializer: notebooks.With(logConfig{File: file})})
		for range 3 {
			if n := value(t, note.Submit(t.Context(), p, none{})); n != 1 {
				t.Errorf("the notebook has %d lines", n)
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if opened, all := opened(t, file), len(lines(t, file)); opened < 3 || all != 2*opened {
			t.Errorf("%d of %d lines are of notebooks that were opened", opened, all)
		}
	})
}

// TestRecycleConfig: PY-MPP-12, a limit below zero is refused. 0 is no limit, as
// in every Config.
func TestRecycleConfig(t *testing.T) {
	for field, config := range map[string]pool.Config{
		"Recycle.Tasks":  {Recycle: pool.Recycle{Tasks: -1}},
		"Recycle.Age":    {Recycle: pool.Recycle{Age: -1}},
		"Recycle.Idle":   {Recycle: pool.Recycle{Idle: -1}},
		"Recycle.Memory": {Recycle: pool.Recycle{Memory: -1}},
		"MinWorkers":     {MinWorkers: -2},
	} {
		var bad *pool.ConfigError
		if _, err := pool.NewProcessPool(config); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	var bad *pool.ConfigError
	if _, err := pool.NewProcessPool(pool.Config{Workers: 2, MinWorkers: 3}); !errors.As(err, &bad) || bad.Field != "MinWorkers" {
		t.Errorf("more than there may be: %v", err)
	}
}

// A worker that is old goes on until its replacement is ready.
func TestRecycleByAge(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2, Recycle: pool.Recycle{Age: 200 * time.Millisecond}})
	eventually(t, "workers were recycled", func() bool {
		value(t, double.Submit(t.Context(), p, 1))
		s := p.Stats()
		if s.Ready < 1 || s.Failed > 0 {
			t.Fatalf("a gap: %+v", s)
		}
		return s.Recycled >= 4
	})
	g := newGate(t)
	held := hold.Submit(t.Context(), p, g.address())
	g.holds(t, 1)
	before := p.Stats().Recycled
	eventually(t, "others were", func() bool { return p.Stats().Recycled >= before+2 })
	g.open()
	value(t, held)
}

// A worker that has worked and has nothing to do is replaced, once.
func TestRecycleByIdleness(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2, Recycle: pool.Recycle{Idle: 50 * time.Millisecond}})
	eventually(t, "both are ready", func() bool { return p.Stats().Ready == 2 })
	before := workerPID(t, p)
	eventually(t, "it was recycled", func() bool { return p.Stats().Recycled == 1 && p.Stats().Ready == 2 })
	time.Sleep(200 * time.Millisecond) // the time is the test
	if s := p.Stats(); s.Recycled != 1 || s.Started != 3 {
		t.Errorf("%+v", s)
	}
	if alive(before) {
		t.Error("it lives")
	}
}

// leak keeps memory, and then passes a gate, if there is one.
var leak = pool.NewTask("leak", func(ctx context.Context, a leakage) (int, error) {
	kept := make([]byte, a.Bytes)
	for i := 0; i < len(kept); i += os.Getpagesize() {
		kept[i] = 1
	}
	leaked = append(leaked, kept)
	if a.Gate != "" {
		return os.Getpid(), pass(ctx, a.Gate)
	}
	return os.Getpid(), nil
})

type leakage struct {
	Bytes int
	Gate  string
}

var leaked [][]byte

// logTo returns a logger that writes to a buffer.
func logTo(b *lockedBuffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// elastic is a pool that has workers only while there is something to do.
var elastic = pool.Config{Workers: 4, MinWorkers: pool.NoMinimum, Recycle: pool.Recycle{Idle: 50 * time.Millisecond}}

// TestIdleShrink: LK-9, workers with nothing to do end, all of them, and come
// back with the tasks, again and again.
func TestIdleShrink(t *testing.T) {
	t.Run("LK-9 to none", func(t *testing.T) {
		p := newProcessPool(t, elastic)
		for cycle := range 5 {
			doubled(t, submit(t, p, 100))
			eventually(t, "all workers have ended", func() bool { s := p.Stats(); return s.Ready+s.Spare == 0 })
			if s := p.Stats(); s.Failed != 0 {
				t.Errorf("cycle %d: %+v", cycle, s)
			}
		}
	})
	t.Run("with spares", func(t *testing.T) {
		config := elastic
		config.Spares = 2
		p := newProcessPool(t, config)
		for range 3 {
			doubled(t, submit(t, p, 100))
			eventually(t, "all workers have ended", func() bool { s := p.Stats(); return s.Ready+s.Spare == 0 })
		}
	})
	t.Run("to a minimum", func(t *testing.T) {
		config := elastic
		config.MinWorkers = 2
		p, g, held := saturate(t, func(t testing.TB, c pool.Config) pool.Pool { return newProcessPool(t, c) }, config)
		if n := p.Stats().Ready; n != 4 {
			t.Errorf("%d workers for 4 tasks", n)
		}
		g.open()
		for _, f := range held {
			value(t, f)
		}
		eventually(t, "two are left", func() bool { return p.Stats().Ready == 2 })
		time.Sleep(200 * time.Millisecond) // the time is the test
		if s := p.Stats(); s.Ready != 2 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("a task under way at the end of the time", func(t *testing.T) {
		config := elastic
		config.Recycle.Idle = 5 * time.Millisecond
		p := newProcessPool(t, config)
		for range 100 {
			value(t, double.Submit(t.Context(), p, 1))
			time.Sleep(config.Recycle.Idle + rand.N(time.Millisecond) - time.Millisecond/2) // the time is the test
		}
	})
}

// TestFourthStartFails: PY-MPP-13, of a pool whose fourth worker cannot be
// started the first three are reaped.
func TestFourthStartFails(t *testing.T) {
	starts := startAs(t, "fails from the fourth on")
	p, err := pool.NewProcessPool(pool.Config{Workers: 5, MaxFailures: 1, Logger: logTo(&lockedBuffer{}), Stderr: &lockedBuffer{}})
	if err == nil {
		eventually(t, "the pool is broken", func() bool {
			_, err := result(t, double.Submit(t.Context(), p, 1))
			return errors.Is(err, pool.ErrBroken)
		})
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, started := range lines(t, starts) {
		if alive(atoi(started)) {
			t.Errorf("process %s is left", strings.TrimSpace(started))
		}
	}
}
