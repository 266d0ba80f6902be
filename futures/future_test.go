package futures_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stint-go/stint/futures"
)

func TestCancel(t *testing.T) {
	t.Run("PY-F-6 pending, then cancelled", func(t *testing.T) {
		j := new(job)
		_, f := futures.New[int](j)
		for _, state := range []futures.State{futures.Pending, futures.Cancelled} {
			if !f.Cancel() {
				t.Errorf("Cancel refuses a %v future", state)
			}
		}
		if f.State() != futures.Cancelled || j.begin() {
			t.Errorf("state %v, and the work can still begin", f.State())
		}
	})
	t.Run("PY-F-6 running", func(t *testing.T) {
		j := new(job)
		p, f := futures.New[int](j)
		if !j.begin() || !p.Start() || f.Cancel() {
			t.Error("work that runs was cancelled")
		}
		if p.Start() {
			t.Error("started twice")
		}
		if !p.Succeed(1) {
			t.Error("the refused Cancel has settled it")
		}
	})
	t.Run("PY-F-6 begun, though nobody said so yet", func(t *testing.T) {
		j := new(job)
		_, f := futures.New[int](j)
		if !j.begin() || f.Cancel() {
			t.Error("work that has begun was cancelled")
		}
		if s := f.State(); s != futures.Running {
			t.Errorf("state %v", s)
		}
	})
	t.Run("PY-F-6 finished", func(t *testing.T) {
		for _, state := range []futures.State{futures.Succeeded, futures.Failed} {
			if _, f := inState(state); f.Cancel() || f.State() != state {
				t.Errorf("a future that had %v was cancelled", state)
			}
		}
	})
	t.Run("without a control", func(t *testing.T) {
		p, f := futures.New[int](nil)
		if !f.Cancel() || p.Start() {
			t.Error("the owner does not learn that its work was cancelled")
		}
	})
}

func TestKill(t *testing.T) {
	t.Run("pending work is cancelled", func(t *testing.T) {
		j := new(job)
		_, f := futures.New[int](j)
		if !f.Kill() || f.State() != futures.Cancelled || j.begin() || j.kills.Load() != 0 {
			t.Errorf("state %v, %d kills", f.State(), j.kills.Load())
		}
	})
	t.Run("running work is killed by its owner, who settles it", func(t *testing.T) {
		j := new(job)
		p, f := futures.New[int](j)
		j.begin()
		if !f.Kill() || j.kills.Load() != 1 {
			t.Fatalf("%d kills", j.kills.Load())
		}
		if s := f.State(); s != futures.Running {
			t.Errorf("%v before the owner has seen the proof", s)
		}
		p.Fail(errBoom)
		if err := f.Err(t.Context()); err != errBoom {
			t.Errorf("error %v", err)
		}
	})
	t.Run("settled work is left alone", func(t *testing.T) {
		j := new(job)
		p, f := futures.New[int](j)
		j.begin()
		p.Succeed(1)
		if f.Kill() || j.kills.Load() != 0 {
			t.Errorf("%d kills of work that is over", j.kills.Load())
		}
	})
}

func TestStateLearnsThatTheWorkHasBegun(t *testing.T) {
	j := new(job)
	p, f := futures.New[int](j)
	if s := f.State(); s != futures.Pending {
		t.Errorf("state %v", s)
	}
	j.begin()
	if s := f.State(); s != futures.Running {
		t.Errorf("state %v once it has begun", s)
	}
	if p.Start() {
		t.Error("Start says that it was pending")
	}
}

// A control may look at its future: no lock is held while it is asked.
func TestControlMayUseItsFuture(t *testing.T) {
	j := new(job)
	_, f := futures.New[int](j)
	depth := 0
	j.onAsk = func() {
		if depth++; depth == 1 {
			f.Done()
			f.State()
			f.Kill()
			f.OnDone(func(*futures.Future[int]) {})
		}
		depth--
	}
	f.State()
	f.Cancel()
	f.Kill()
	if s := f.State(); s != futures.Cancelled {
		t.Errorf("state %v", s)
	}
}

func TestResultUnderAnExpiredContext(t *testing.T) {
	for _, row := range []struct {
		name  string
		state futures.State
		want  error
		value int
	}{
		{"PY-F-8 pending", futures.Pending, context.DeadlineExceeded, 0},
		{"PY-F-8 running", futures.Running, context.DeadlineExceeded, 0},
		{"PY-F-8 cancelled", futures.Cancelled, futures.ErrCancelled, 0},
		{"PY-F-8 failed", futures.Failed, errBoom, 0},
		{"PY-F-8 succeeded", futures.Succeeded, nil, 42},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, f := inState(row.state)
			v, err := f.Result(expired(t))
			if v != row.value || !errors.Is(err, row.want) {
				t.Errorf("Result: %v, %v", v, err)
			}
			// PY-F-10: the same waits, and nil on success.
			if err := f.Err(expired(t)); !errors.Is(err, row.want) {
				t.Errorf("Err: %v", err)
			}
			wait, ended := errors.AsType[*futures.WaitError](err)
			if ended != !row.state.Settled() {
				t.Errorf("a wait that ended: %t", ended)
			}
			if ended && (wait.State != row.state || wait.Waited != 0) {
				t.Errorf("%+v", wait)
			}
		})
	}
}

func TestBlockedReadersWake(t *testing.T) {
	for _, settling := range settlings {
		t.Run("PY-F-9 "+settling.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, f := futures.New[int](nil)
				var woken sync.WaitGroup
				for range 4 {
					woken.Go(func() { _, _ = f.Result(t.Context()) })
					woken.Go(func() { _ = f.Err(t.Context()) }) // PY-F-10
					woken.Go(func() { <-f.Done() })
				}
				synctest.Wait()
				if !settling.do(p) {
					t.Error("refused")
				}
				woken.Wait()
			})
		})
	}
}

func TestTheEndOfAWaitIsNotTheEndOfTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lunch := errors.New("gone for lunch")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, lunch)
		defer cancel()
		p, f := inState(futures.Running)
		_, err := f.Result(ctx)
		wait, ok := errors.AsType[*futures.WaitError](err)
		if !ok || wait.State != futures.Running || wait.Waited != 5*time.Second || wait.Cause != lunch {
			t.Errorf("%#v", err)
		}
		if !errors.Is(err, lunch) || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			t.Errorf("%v matches the wrong errors", err)
		}
		p.Fail(context.DeadlineExceeded)
		if _, ok := errors.AsType[*futures.WaitError](f.Err(ctx)); ok {
			t.Error("the work's own timeout is taken for the end of the wait")
		}
	})
}

func TestDoneIsOneChannel(t *testing.T) {
	p, f := futures.New[int](nil)
	before := f.Done()
	p.Succeed(1)
	if f.Done() != before || !isClosed(before) {
		t.Error("not the channel that it was before")
	}
}

// lastMoment is a context that ends at the very moment in which somebody begins to
// wait for that.
type lastMoment struct {
	context.Context
	end func()
}

func (c lastMoment) Done() <-chan struct{} {
	c.end()
	return c.Context.Done()
}

func TestSettledAtTheLastMomentIsNotLost(t *testing.T) {
	for range 100 { // either may be seen first
		p, f := futures.New[int](nil)
		ctx, cancel := context.WithCancel(t.Context())
		v, err := f.Result(lastMoment{ctx, func() { cancel(); p.Succeed(42) }})
		cancel()
		if v != 42 || err != nil {
			t.Fatalf("result %v, %v", v, err)
		}
	}
}
