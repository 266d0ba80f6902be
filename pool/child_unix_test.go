//go:build unix

package pool_test

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime"
)

// startProcess starts a task in a process of its own, whose end the test waits for.
func startProcess[In, Out any](t *testing.T, task *pool.Task[In, Out], in In, config pool.ProcessConfig) *pool.Process[Out] {
	t.Helper()
	p, err := task.Start(t.Context(), in, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		over(t, p)
	})
	return p
}

// over waits for the process's end.
func over[Out any](t *testing.T, p *pool.Process[Out]) reactor.Exit {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	e, err := p.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func notDone[Out any](p *pool.Process[Out]) bool {
	select {
	case <-p.Done():
		return false
	default:
		return true
	}
}

func TestProcessLife(t *testing.T) {
	leaktest.Check(t)
	host, err := runtime.Start(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("PY-P-2 PY-P-4 alive and listed until it has exited", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p, err := untilCancelled.Start(ctx, none{}, pool.ProcessConfig{Name: "patient", Grace: patience, Host: host})
		if err != nil {
			t.Fatal(err)
		}
		children := host.Children()
		if len(children) != 1 || children[0].Name != "patient" || children[0].PID != p.PID() || p.Name() != "patient" || !notDone(p) {
			t.Errorf("%+v; %s, pid %d, alive: %t", children, p.Name(), p.PID(), notDone(p))
		}
		cancel() // the task heeds it
		if e := over(t, p); !e.Success() || notDone(p) {
			t.Errorf("it %v; alive: %t", e, notDone(p))
		}
		if children := host.Children(); len(children) != 0 {
			t.Errorf("%+v", children)
		}
	})
	t.Run("the result, and an exit with code 0", func(t *testing.T) {
		p := startProcess(t, pid, none{}, pool.ProcessConfig{Host: host})
		if got := value(t, p.Future()); got != p.PID() || got == os.Getpid() || p.Name() != "pid" {
			t.Errorf("the task ran in process %d, which is %s in %d", got, p.Name(), p.PID())
		}
		if e := over(t, p); !e.Success() || e.PID != p.PID() || e.Usage == nil {
			t.Errorf("%+v", e)
		}
		if err := p.Terminate(); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("Terminate after the end: %v", err)
		}
		p.Kill()
	})
	if err := host.Close(); err != nil {
		t.Error(err)
	}
}

func TestProcessEnds(t *testing.T) {
	leaktest.Check(t)
	t.Run("PY-P-9 exit codes come through", func(t *testing.T) {
		for _, code := range []int{0, 1, 8, 255} {
			p := startProcess(t, exit, code, pool.ProcessConfig{})
			if e := over(t, p); e.Kind != reactor.Exited || e.Code != code {
				t.Errorf("%d: %v", code, e)
			}
			if err := p.Future().Err(t.Context()); !errors.Is(err, pool.ErrWorkerDied) {
				t.Errorf("%d: %v", code, err)
			}
		}
	})
	t.Run("PY-P-3 terminate reports SIGTERM, kill SIGKILL", func(t *testing.T) {
		p := startProcess(t, spin, none{}, pool.ProcessConfig{})
		if err := p.Terminate(); err != nil {
			t.Fatal(err)
		}
		if e := over(t, p); e.Signal != syscall.SIGTERM {
			t.Errorf("terminated: %v", e)
		}
		p = startProcess(t, spin, none{}, pool.ProcessConfig{})
		p.Kill()
		if e := over(t, p); e.Signal != syscall.SIGKILL {
			t.Errorf("killed: %v", e)
		}
		if _, cancelled := p.Future().Err(t.Context()).(*futures.CancelledError); !cancelled && !errors.Is(p.Future().Err(t.Context()), pool.ErrKilled) {
			t.Errorf("killed: %v", p.Future().Err(t.Context()))
		}
	})
	t.Run("the task's own failure", func(t *testing.T) {
		p := startProcess(t, failKnown, none{}, pool.ProcessConfig{})
		if err := p.Future().Err(t.Context()); !errors.Is(err, errTest) {
			t.Error(err)
		}
		if e := over(t, p); !e.Success() {
			t.Error(e)
		}
	})
	t.Run("its deadline", func(t *testing.T) {
		p := startProcess(t, spin, none{}, pool.ProcessConfig{TaskTimeout: 50 * time.Millisecond, Grace: pool.NoGrace})
		if err := p.Future().Err(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if e := over(t, p); e.Signal != syscall.SIGKILL {
			t.Error(e)
		}
	})
}

func TestProcessWait(t *testing.T) {
	leaktest.Check(t)
	p := startProcess(t, spin, none{}, pool.ProcessConfig{})
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	var wait *pool.ProcessWaitError
	if _, err := p.Wait(ctx); !errors.Is(err, why) || !errors.As(err, &wait) || wait.PID != p.PID() || !notDone(p) {
		t.Errorf("%v", err)
	}
	p.Kill()
	<-p.Done()
	if e, err := p.Wait(ctx); err != nil || e.Signal != syscall.SIGKILL { // what is over counts more
		t.Errorf("%v, %v", e, err)
	}
}

func TestProcessRefuses(t *testing.T) {
	leaktest.Check(t)
	why := errors.New("not now")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if p, err := spin.Start(ctx, none{}, pool.ProcessConfig{}); p != nil || !errors.Is(err, why) {
		t.Errorf("an ended context: %v", err)
	}
	var config *pool.ConfigError
	if p, err := spin.Start(t.Context(), none{}, pool.ProcessConfig{TaskTimeout: -1}); p != nil || !errors.As(err, &config) || config.Field != "TaskTimeout" {
		t.Errorf("a negative timeout: %v", err)
	}
	var nobody context.Context
	if p, err := spin.Start(nobody, none{}, pool.ProcessConfig{}); p != nil || !errors.As(err, &config) {
		t.Errorf("no context: %v", err)
	}
}

// Many at once, of which nothing is left.
func TestProcessMany(t *testing.T) {
	leaktest.Check(t)
	const n = 8
	var ps []*pool.Process[int]
	pids := map[int]bool{}
	for range n {
		ps = append(ps, startProcess(t, pid, none{}, pool.ProcessConfig{}))
	}
	for _, p := range ps { // PY-S-8
		pids[value(t, p.Future())] = true
		if e := over(t, p); !e.Success() {
			t.Error(e)
		}
	}
	if len(pids) != n {
		t.Errorf("%d processes for %d tasks", len(pids), n)
	}
}
