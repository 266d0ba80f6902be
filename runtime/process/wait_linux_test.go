package process_test

import (
	"context"
	"errors"
	"math"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime/process"
)

// soon is a context for what must happen at once.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// over is a context that has ended.
func over() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestWaitMany(t *testing.T) {
	leaktest.Check(t)
	t.Run("PS-4 gone and alive, told once for each", func(t *testing.T) {
		var ps []process.Process
		for range 3 {
			ps = append(ps, find(t, run(t, "sleep", "1000").Process.Pid))
		}
		ps = append(ps, ps[0]) // named twice
		told := map[process.Process]int{}
		gone, alive, err := process.WaitMany(over(), ps, nil) // PS-1: at once
		if err != nil || len(gone) != 0 || !slices.Equal(alive, ps[:3]) {
			t.Fatalf("at first: %v, %v, %v", gone, alive, err)
		}
		if err := ps[1].Terminate(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(soon(t))
		gone, alive, err = process.WaitMany(ctx, ps, func(g process.Gone) {
			told[g.Process]++
			cancel()
		})
		if err != nil || len(gone) != 1 || gone[0].Process != ps[1] || !slices.Equal(alive, []process.Process{ps[0], ps[2]}) {
			t.Fatalf("one terminated: %v, %v, %v", gone, alive, err)
		}
		if e := gone[0].Exit; e.Kind != reactor.Signalled || e.Signal != syscall.SIGTERM || told[ps[1]] != 1 || len(told) != 1 {
			t.Errorf("it %v; told: %v", e, told)
		}
		for _, p := range alive {
			if err := p.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		gone, alive, err = process.WaitMany(soon(t), ps, func(g process.Gone) { told[g.Process]++ })
		if err != nil || len(gone) != 3 || len(alive) != 0 || told[ps[0]] != 1 || told[ps[1]] != 2 || told[ps[2]] != 1 {
			t.Errorf("all killed: %v, %v, %v; told: %v", gone, alive, err, told)
		}
	})
	t.Run("none", func(t *testing.T) {
		if gone, alive, err := process.WaitMany(context.Background(), nil, nil); gone != nil || alive != nil || err != nil {
			t.Errorf("%v, %v, %v", gone, alive, err)
		}
	})
	t.Run("the order of the exits, and a look that does not wait", func(t *testing.T) {
		first, second := run(t, "sleep", "1000"), run(t, "sleep", "1000")
		ps := []process.Process{find(t, second.Process.Pid), find(t, first.Process.Pid)}
		if err := ps[1].Kill(); err != nil {
			t.Fatal(err)
		}
		gone, _, err := process.WaitMany(soon(t), ps, func(g process.Gone) {
			if g.Process == ps[1] {
				_ = ps[0].Kill()
			}
		})
		if err != nil || len(gone) != 2 || gone[0].Process != ps[1] {
			t.Errorf("%v, %v", gone, err)
		}
		gone, alive, err := process.WaitMany(over(), ps, nil)
		if err != nil || len(gone) != 2 || len(alive) != 0 || gone[0].Exit.Kind != reactor.Signalled {
			t.Errorf("a look: %v, %v, %v", gone, alive, err)
		}
	})
}

// A child's status is left to whoever started it.
func TestWaitLeavesTheStatus(t *testing.T) {
	leaktest.Check(t)
	cmd := run(t, "sh", "-c", "exit 7")
	e, err := find(t, cmd.Process.Pid).Wait(soon(t))
	if err != nil || e.Kind != reactor.Exited || e.Code != 7 {
		t.Errorf("%+v, %v", e, err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("its parent: %v", err)
	}
}

func TestWaitForStrangers(t *testing.T) {
	leaktest.Check(t)
	t.Run("PS-3 PS-5 exited and reaped are two events", func(t *testing.T) {
		p, reap := stranger(t, "sleep 1000")
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		e, err := p.Wait(soon(t)) // nobody reaps it
		if err != nil || e.Kind != reactor.Unknown || e.Success() {
			t.Errorf("ended: %+v, %v", e, err)
		}
		if p.Running() {
			t.Error("a zombie runs")
		}
		if _, err := process.Find(p.PID()); err != nil {
			t.Errorf("a zombie is not found: %v", err)
		}
		reap()
		if _, err := process.Find(p.PID()); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("reaped, and found: %v", err)
		}
		if e, err := p.Wait(soon(t)); err != nil || !errors.Is(e.Err, os.ErrProcessDone) {
			t.Errorf("reaped: %+v, %v", e, err)
		}
	})
}

func TestWaitEnds(t *testing.T) {
	leaktest.Check(t)
	p := find(t, run(t, "sleep", "1000").Process.Pid)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(time.Millisecond, func() { cancel(why) })
	var of *process.Error
	if _, err := p.Wait(ctx); !errors.Is(err, why) || !errors.As(err, &of) || of.PID != p.PID() {
		t.Errorf("Wait: %v", err)
	}
	if !p.Running() {
		t.Error("it has ended")
	}
}

func TestWaitRefuses(t *testing.T) {
	leaktest.Check(t)
	self, err := process.Self()
	if err != nil || self.PID() != os.Getpid() {
		t.Fatalf("%v, %v", self, err)
	}
	p := find(t, run(t, "sleep", "1000").Process.Pid)
	_, alive, err := process.WaitMany(soon(t), []process.Process{p, self}, nil)
	if !errors.Is(err, reactor.ErrInvalidPID) || !slices.Equal(alive, []process.Process{p}) {
		t.Errorf("%v, %v", alive, err)
	}
	if e, err := (process.Process{}).Wait(soon(t)); err != nil || !errors.Is(e.Err, os.ErrProcessDone) {
		t.Errorf("the zero Process: %+v, %v", e, err)
	}
	for _, pid := range []int{-1, 0, math.MaxInt32} {
		if p, err := process.Find(pid); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("Find(%d): %v, %v", pid, p, err)
		}
	}
	if err := find(t, 1).Kill(); !errors.Is(err, reactor.ErrInvalidPID) {
		t.Errorf("init: %v", err)
	}
}

// Hundreds at once, of whom each ends at a time of its own.
func TestWaitForACrowd(t *testing.T) {
	leaktest.Check(t)
	const n = 200
	ps := make([]process.Process, n)
	for i := range ps {
		ps[i] = find(t, run(t, "sleep", "1000").Process.Pid)
	}
	go func() {
		for _, p := range ps {
			_ = p.Kill()
		}
	}()
	told := map[process.Process]int{}
	gone, alive, err := process.WaitMany(soon(t), ps, func(g process.Gone) { told[g.Process]++ })
	if err != nil || len(gone) != n || len(alive) != 0 || len(told) != n {
		t.Fatalf("%d gone, %d alive, %d told, %v", len(gone), len(alive), len(told), err)
	}
	for _, g := range gone {
		if g.Exit.Kind != reactor.Signalled || told[g.Process] != 1 {
			t.Errorf("%v %v, told %d times", g.Process, g.Exit, told[g.Process])
		}
	}
}
