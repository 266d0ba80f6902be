package pool_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/reactor/frozentest"
	"github.com/stint-go/stint/runtime"
)

// killTimeout is the time that unkillable workers have in tests.
const killTimeout = 300 * time.Millisecond

// briefHost starts a host that gives what does not end up soon.
func briefHost(t *testing.T, c runtime.Containment) *runtime.Host {
	t.Helper()
	host, err := runtime.Start(runtime.Config{KillTimeout: killTimeout, Containment: c, Logger: slog.New(slog.DiscardHandler)})
	if impossible := (*runtime.ContainmentError)(nil); errors.As(err, &impossible) {
		t.Skipf("not on this machine: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	return host
}

// anyTimes is a state that can be opened once, or as often as a file is not there.
var anyTimes = pool.NewState("anyTimes", func(_ context.Context, file string) (none, error) {
	if _, err := os.Stat(file); err == nil {
		return none{}, errors.New("no more")
	}
	return none{}, nil
}, nil)

// freeze has a task hang and freezes its worker. It returns the task's future and the
// worker's pid.
func freeze(t *testing.T, p pool.Pool, options ...pool.Option) (f *future, pid int, release func()) {
	t.Helper()
	file := t.TempDir() + "/pid"
	f = announce.Submit(t.Context(), p, file, options...)
	eventually(t, "the task has told its pid", func() bool { return len(lines(t, file)) == 1 })
	pid = atoi(lines(t, file)[0])
	return f, pid, frozentest.Hold(t, pid)
}

// A worker that SIGKILL does not end: its task fails within a bound, another worker
// serves what stood behind it, and the corpse is counted until it goes.
func TestUnkillable(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, Spares: pool.NoSpares, Host: briefHost(t, runtime.ContainAuto)})
	heard := record(t, p)
	const limit = 2 * time.Second // in which the worker is frozen
	begun := time.Now()
	f, pid, release := freeze(t, p, pool.WithTimeout(limit))
	behind := double.Submit(t.Context(), p, 4)
	err := failure[*pool.UnkillableError](t, f)
	took := time.Since(begun)
	if took < limit+killTimeout || err.After < killTimeout || err.After > took {
		t.Errorf("it failed after %v: %+v", took, err)
	}
	if err.Task != "announce" || err.PID != pid || err.Worker == 0 || err.Elapsed < limit {
		t.Errorf("%+v", err)
	}
	if !errors.Is(err, pool.ErrUnkillable) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, pool.ErrWorkerDied) {
		t.Errorf("it matches the wrong errors: %v", err)
	}
	for _, part := range []string{"announce", itoa(pid), "SIGKILL", "/proc/" + itoa(pid) + "/stack"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not told: %v", part, err)
		}
	}
	if got := value(t, behind); got != 8 {
		t.Errorf("what stood behind it: %d", got)
	}
	if s := p.Stats(); s.Unkillable != 1 || s.TimedOut != 1 || s.Failed != 1 || s.Succeeded != 1 {
		t.Errorf("%+v", s)
	}
	hears(t, heard, func(pool.WorkerUnkillable) bool { return true })
	told := of[pool.WorkerUnkillable](heard.soFar())
	if len(told) != 1 || told[0].PID != pid || told[0].Cause.Kind != actors.CauseDeadline || !errors.Is(told[0].Err, pool.ErrUnkillable) {
		t.Errorf("events: %v", told)
	}
	if gone := exits(heard, pid); len(gone) != 0 {
		t.Errorf("it has not gone: %v", gone)
	}
	release()
	eventually(t, "the corpse is counted out", func() bool { return p.Stats().Unkillable == 0 && len(exits(heard, pid)) == 1 })
	if e := exits(heard, pid)[0]; e.Exit.Signal != syscall.SIGKILL && e.Exit.Kind != reactor.Unknown { // release reaps, too
		t.Errorf("its end: %v", e)
	}
}

// exits returns the exits of a worker that were heard of.
func exits(heard *recording, pid int) (all []pool.WorkerExited) {
	for _, e := range of[pool.WorkerExited](heard.soFar()) {
		if e.PID == pid {
			all = append(all, e)
		}
	}
	return all
}

// In a pool whose workers cannot be replaced any more, what is queued fails, too.
func TestUnkillableInBrokenPool(t *testing.T) {
	file := t.TempDir() + "/stop"
	p := newProcessPool(t, pool.Config{
		Workers: 2, Spares: pool.NoSpares, MaxFailures: 1, Initializer: anyTimes.With(file), Host: briefHost(t, runtime.ContainAuto),
	})
	eventually(t, "both are ready", func() bool { return p.Stats().Ready == 2 })
	f, _, release := freeze(t, p)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	waiting := []*future{} // for the worker that is held, since the other one dies
	_, _ = result(t, exit.Submit(t.Context(), p, 1))
	for range 3 {
		waiting = append(waiting, sleep.Submit(t.Context(), p, 0))
	}
	f.Kill()
	if err := failure[*pool.UnkillableError](t, f); !errors.Is(err, pool.ErrKilled) {
		t.Error(err)
	}
	for _, w := range waiting {
		if _, err := result(t, w); !errors.Is(err, pool.ErrBroken) {
			t.Errorf("what waits for a worker: %v", err)
		}
	}
	release()
	eventually(t, "the corpse is counted out", func() bool { return p.Stats().Unkillable == 0 })
}

// A task in a process of its own: its future, Done and Wait end.
func TestUnkillableProcess(t *testing.T) {
	file := t.TempDir() + "/pid"
	p, err := announce.Start(t.Context(), file, pool.ProcessConfig{Host: briefHost(t, runtime.ContainAuto)})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the task runs", func() bool { return len(lines(t, file)) == 1 })
	frozentest.Hold(t, p.PID())
	p.Kill()
	failure[*pool.UnkillableError](t, p.Future())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	e, err := p.Wait(ctx)
	if err != nil || e.Kind != reactor.Unknown || !errors.Is(e.Err, pool.ErrUnkillable) {
		t.Errorf("%v, %v", e, err)
	}
}

// A shutdown ends within its context and the host's bound, and says what is left.
// What the worker has started ends all the same.
func TestUnkillableAtShutdown(t *testing.T) {
	for _, c := range []runtime.Containment{runtime.ContainCgroup, runtime.ContainMark} {
		t.Run(c.String(), func(t *testing.T) {
			host := briefHost(t, c)
			p, err := pool.NewProcessPool(pool.Config{Workers: 1, Host: host, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			file := t.TempDir() + "/pids"
			f := settle.Submit(t.Context(), p, settlement{file, "sleep"})
			family := families(t, file, 1)
			worker := family[2]
			release := frozentest.Hold(t, worker)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			err = p.Shutdown(ctx, pool.Drain)
			var late *pool.ShutdownError
			var left *pool.LeftError
			if !errors.As(err, &late) || !errors.As(err, &left) || len(left.PIDs) != 1 || left.PIDs[0] != worker || !errors.Is(err, pool.ErrUnkillable) {
				t.Errorf("the shutdown: %v", err)
			}
			if err := failure[*pool.UnkillableError](t, f); !errors.Is(err, pool.ErrShutdown) {
				t.Error(err)
			}
			for _, pid := range family[:2] {
				eventually(t, "the family's end", func() bool { return !lives(pid) })
			}
			begun := time.Now()
			err = host.Close()
			var remains *runtime.LeftError
			if !errors.As(err, &remains) || len(remains.PIDs) != 1 || remains.PIDs[0] != worker {
				t.Errorf("the host's end: %v", err)
			}
			if took := time.Since(begun); took > patience {
				t.Errorf("it took %v", took)
			}
			release()
		})
	}
}

// What an unkillable worker has started is gone when its host is closed, also if
// nobody gave the worker up before.
func TestUnkillableAtHostClose(t *testing.T) {
	for _, c := range []runtime.Containment{runtime.ContainCgroup, runtime.ContainMark} {
		t.Run(c.String(), func(t *testing.T) {
			host := briefHost(t, c)
			p, err := pool.NewProcessPool(pool.Config{Workers: 1, Host: host, Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			file := t.TempDir() + "/pids"
			f := settle.Submit(t.Context(), p, settlement{file, "sleep"})
			family := families(t, file, 1)
			frozentest.Hold(t, family[2])
			if err := host.Close(); !errors.As(err, new(*runtime.LeftError)) {
				t.Errorf("the host's end: %v", err)
			}
			for _, pid := range family[:2] {
				if lives(pid) {
					t.Errorf("%d has survived the host's end", pid)
				}
			}
			awaitSettled(t, f)
			if err := p.Close(); !errors.Is(err, pool.ErrUnkillable) {
				t.Errorf("the pool's end: %v", err)
			}
		})
	}
}
