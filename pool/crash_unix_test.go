//go:build unix

package pool_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime/worker"
)

// TestWorkerDeath: a task that ends its worker fails with the truth, and the
// pool works on.
func TestWorkerDeath(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	for name, end := range map[string]struct {
		submit func() *futures.Future[none]
		kind   reactor.Kind
		code   int
		signal syscall.Signal
		stderr string
	}{
		"PY-D-3 PB-4 PY-P-3 killed by SIGKILL": {
			submit: func() *futures.Future[none] { return killSelf.Submit(t.Context(), p, syscall.SIGKILL) },
			kind:   reactor.Signalled, signal: syscall.SIGKILL,
		},
		"PY-D-3 PB-4 PY-P-3 killed by SIGTERM": {
			submit: func() *futures.Future[none] { return killSelf.Submit(t.Context(), p, syscall.SIGTERM) },
			kind:   reactor.Signalled, signal: syscall.SIGTERM,
		},
		"PY-D-3 PB-4 crashed": {
			submit: func() *futures.Future[none] { return crash.Submit(t.Context(), p, "a crash on purpose") },
			kind:   reactor.Exited, code: 2, stderr: "panic: a crash on purpose",
		},
		"PY-D-3 segmentation fault": {
			submit: func() *futures.Future[none] { return fault.Submit(t.Context(), p, none{}) },
			kind:   reactor.Exited, code: 2, stderr: "SIGSEGV",
		},
		"PY-D-4 PY-P-9 os.Exit(0)": {
			submit: func() *futures.Future[none] { return exit.Submit(t.Context(), p, 0) },
			kind:   reactor.Exited, code: 0,
		},
		"PY-D-4 PY-P-9 os.Exit(1)": {
			submit: func() *futures.Future[none] { return exit.Submit(t.Context(), p, 1) },
			kind:   reactor.Exited, code: 1,
		},
		"PY-P-9 os.Exit(8)": {
			submit: func() *futures.Future[none] { return exit.Submit(t.Context(), p, 8) },
			kind:   reactor.Exited, code: 8,
		},
		"PY-P-9 os.Exit(255)": {
			submit: func() *futures.Future[none] { return exit.Submit(t.Context(), p, 255) },
			kind:   reactor.Exited, code: 255,
		},
		"PB-4 its last words": {
			submit: func() *futures.Future[none] { return complain.Submit(t.Context(), p, "woe\nis me\n") },
			kind:   reactor.Exited, code: 3, stderr: "woe\nis me\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := workerPID(t, p)
			f := end.submit()
			err := failure[*pool.WorkerError](t, f)
			if err.PID != before || err.Worker == 0 || err.Elapsed <= 0 || err.Task == "" {
				t.Errorf("the run is told as %+v; the worker was %d", err.Run, before)
			}
			if err.Exit.Kind != end.kind || err.Exit.Code != end.code || err.Exit.Signal != end.signal {
				t.Errorf("the exit is told as %v", err.Exit)
			}
			if err.Exit.Usage == nil || err.Exit.Usage.MaxRSS == 0 {
				t.Errorf("what the worker used is told as %+v", err.Exit.Usage)
			}
			if !strings.Contains(err.Stderr, end.stderr) {
				t.Errorf("standard error is told as %q", err.Stderr)
			}
			if !errors.Is(err, pool.ErrWorkerDied) || errors.Is(err, pool.ErrKilled) {
				t.Errorf("what the error matches: %v", err)
			}
			if after := workerPID(t, p); after == before {
				t.Error("the dead worker answers")
			}
		})
	}
}

// TestManyDeaths is PY-P-6: of a hundred workers each is told to have ended as
// it did.
func TestManyDeaths(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 4})
	var terminated, exited []*futures.Future[none]
	for range 50 {
		terminated = append(terminated, killSelf.Submit(t.Context(), p, syscall.SIGTERM))
		exited = append(exited, exit.Submit(t.Context(), p, 0))
	}
	for _, f := range terminated {
		if err := failure[*pool.WorkerError](t, f); err.Exit.Kind != reactor.Signalled || err.Exit.Signal != syscall.SIGTERM {
			t.Errorf("PY-P-6: got %v", err)
		}
	}
	for _, f := range exited {
		if err := failure[*pool.WorkerError](t, f); err.Exit.Kind != reactor.Exited || err.Exit.Code != 0 {
			t.Errorf("PY-P-6: got %v", err)
		}
	}
	if s := p.Stats(); s.Lost != 100 || s.Started < 100 || s.Started > 104 {
		t.Errorf("PY-P-6: the figures: %+v", s)
	}
}

// TestTaskFailure: a task that fails by itself is told as it was, and its worker
// lives on.
func TestTaskFailure(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	before := workerPID(t, p)

	t.Run("an error", func(t *testing.T) {
		err := failure[*pool.TaskError](t, fail.Submit(t.Context(), p, "out of luck"))
		if err.Err.Error() != "out of luck" || err.PID != before || err.Task != "fail" {
			t.Errorf("got %+v", err)
		}
		if errors.Is(err, errTest) {
			t.Error("the error matches another")
		}
	})
	t.Run("an error that both sides know", func(t *testing.T) {
		if _, err := result(t, failKnown.Submit(t.Context(), p, none{})); !errors.Is(err, errTest) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("PY-D-4 PY-PP-3 a panic, with its stack", func(t *testing.T) {
		err := failure[*pool.PanicError](t, panics.Submit(t.Context(), p, "shaken"))
		if err.Value != "shaken" || err.Type != "string" || err.PID != before {
			t.Errorf("got %+v", err)
		}
		if !strings.Contains(err.Stack, "harness_test.go:") {
			t.Errorf("the stack does not show where: %s", err.Stack)
		}
	})
	t.Run("PY-D-4 Goexit", func(t *testing.T) {
		err := failure[*pool.TaskError](t, goexit.Submit(t.Context(), p, none{}))
		if !errors.Is(err, pool.ErrGoexit) || err.PID != before {
			t.Errorf("got %+v", err)
		}
	})
	if after := workerPID(t, p); after != before {
		t.Errorf("the worker is %d, was %d", after, before)
	}
}

// TestKilledWorkerFailsOnlyItsTask is PY-PP-1: an outsider kills a worker.
func TestKilledWorkerFailsOnlyItsTask(t *testing.T) {
	t.Log("PY-PP-1")
	p := newProcessPool(t, pool.Config{Workers: 2})
	file := t.TempDir() + "/pid"
	victim := announce.Submit(t.Context(), p, file)
	eventually(t, "the task has told its pid", func() bool { return len(lines(t, file)) == 1 })

	var others []*futures.Future[int]
	for n := range 100 {
		others = append(others, double.Submit(t.Context(), p, n))
	}
	send(t, atoi(lines(t, file)[0]), syscall.SIGKILL)

	err := failure[*pool.WorkerError](t, victim)
	if err.Exit.Signal != syscall.SIGKILL || err.PID != atoi(lines(t, file)[0]) {
		t.Errorf("got %+v", err)
	}
	for n, f := range others {
		if got := value(t, f); got != 2*n {
			t.Errorf("double %d is %d", n, got)
		}
	}
	if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 {
		t.Errorf("afterwards: %d", got)
	}
	if s := p.Stats(); s.Lost != 1 || s.Failed != 1 || s.TimedOut+s.Killed+s.Cancelled != 0 {
		t.Errorf("the figures: %+v", s)
	}
}

// answerAndDie has its worker killed when its result, its small argument, is
// written and the host has perhaps not read it yet. It must be the first task of
// its worker.
var answerAndDie = pool.NewTask("answerAndDie", func(_ context.Context, n byte) (byte, error) {
	if _, err := syscall.Write(channelOut, frame(kindValue, 0, 1, elapsed(1, n))); err != nil {
		return 0, err
	}
	return 0, syscall.Kill(os.Getpid(), syscall.SIGKILL)
})

// TestCrashAfterResult is LK-7 and PI-1: a worker that dies just after a result
// has been written takes nothing along.
func TestCrashAfterResult(t *testing.T) {
	const forget = time.Millisecond // what dies young delays its replacement for this time
	t.Run("LK-7 the result is kept", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1, FailureWindow: forget})
		for n := range byte(20) {
			if got := value(t, answerAndDie.Submit(t.Context(), p, n)); got != n {
				t.Fatalf("got %d, want %d", got, n)
			}
		}
	})
	t.Run("PI-1 no other task fails", func(t *testing.T) {
		for round, told := 0, 0; told < 5; round++ {
			if round == 15 {
				t.Fatalf("in %d of %d rounds the task was not its worker's first", round-told, round)
			}
			p := hostilePool(t, 2)
			dying := answerAndDie.Submit(t.Context(), p, 7)
			var others []*futures.Future[int]
			for n := range 50 {
				others = append(others, double.Submit(t.Context(), p, n))
			}
			got, err := result(t, dying)
			if _, moved := errors.AsType[*worker.ProtocolError](err); !moved { // else it was not its worker's first task: a busy machine had moved it
				told++
				if err != nil || got != 7 {
					t.Errorf("got %d, %v", got, err)
				}
			}
			for n, f := range others {
				if got := value(t, f); got != 2*n {
					t.Errorf("double %d is %d", n, got)
				}
			}
			eventually(t, "the dead is replaced", func() bool { return p.Stats().Ready == 2 })
		}
	})
}
