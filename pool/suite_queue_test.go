package pool_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

func TestQueue(t *testing.T) {
	overKinds(t, "Block waits for room", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1, Queue: 2})
		queued := submit(t, p, 2)
		blocked := submitBlocked(t, t.Context(), p)
		if s := p.Stats(); s.Queued != 2 || s.Submitted != 3 {
			t.Errorf("%+v", s)
		}
		if !queued[1].Cancel() { // which makes room
			t.Fatal("it is not cancelled")
		}
		admitted := blocked()
		g.open()
		value(t, admitted)
		value(t, queued[0])
	})

	overKinds(t, "Block waits as long as the context allows", func(t *testing.T, open opener) {
		p, _, _ := saturate(t, open, pool.Config{Workers: 1, Queue: 1})
		submit(t, p, 1)
		why := errors.New("I have no time")
		ctx, cancel := context.WithCancelCause(t.Context())
		blocked := submitBlocked(t, ctx, p)
		cancel(why)
		f := blocked()
		matches(t, f, why, futures.ErrCancelled)
		if s := p.Stats(); f.State() != futures.Cancelled || s.Refused != 1 || s.Submitted != 2 || s.Cancelled != 0 {
			t.Errorf("the future is %v, %+v", f.State(), s)
		}
	})

	overKinds(t, "who waits for room gets it in order", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1, Queue: 1})
		submit(t, p, 1)
		log := newOrderLog(t)
		log.fs = make([]*future, 10)
		var submitted sync.WaitGroup
		for i := range log.fs {
			submitted.Go(func() { log.fs[i] = appendAndWait(t.Context(), p, appendTo{log.file, fmt.Sprint(i)}) })
			eventually(t, "Submit waits", func() bool { return waiting("appendAndWait") == i+1 })
		}
		g.open()
		submitted.Wait()
		log.expect("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
	})

	overKinds(t, "who gives up, at whatever moment, takes no room along", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2, Queue: 2})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 200 {
					ctx, cancel := context.WithCancel(t.Context())
					go cancel()
					f := double.Submit(ctx, p, 1)
					if _, err := result(t, f); err != nil && !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		g := newGate(t)
		accepted := background(t, func() error {
			for range 4 { // 2 run, and there is room for 2
				hold.Submit(t.Context(), p, g.address())
			}
			return nil
		})
		_ = accepted()
		g.open()
	})

	overKinds(t, "Refuse does not wait", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1, Queue: 1, WhenFull: pool.Refuse})
		queued := submit(t, p, 1)
		f := double.Submit(t.Context(), p, 1)
		matches(t, f, pool.ErrQueueFull)
		if s := p.Stats(); f.State() != futures.Failed || s.Refused != 1 {
			t.Errorf("the future is %v, %+v", f.State(), s)
		}
		g.open()
		doubled(t, queued)
		if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 {
			t.Errorf("once there is room: %d", got)
		}
	})

	overKinds(t, "closing it refuses who waits for room", func(t *testing.T, open opener) {
		for _, mode := range []pool.ShutdownMode{pool.Drain, pool.CancelPending, pool.Kill} {
			p, g, _ := saturate(t, open, pool.Config{Workers: 1, Queue: 1})
			queued := double.Submit(t.Context(), p, 0)
			blocked := submitBlocked(t, context.Background(), p)
			returned := background(t, func() error { return p.Shutdown(context.Background(), mode) })
			matches(t, blocked(), pool.ErrClosed) // while the queue is still full
			if mode == pool.Drain && queued.State() != futures.Pending {
				t.Errorf("the one before it is %v", queued.State())
			}
			g.open()
			if err := returned(); err != nil {
				t.Error(err)
			}
		}
	})

	overKinds(t, "many go through a small one", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2, Queue: 1})
		doubled(t, submit(t, p, 1000))
	})

	overKinds(t, "a context that has ended is not accepted", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		f := double.Submit(expired(t), p, 1)
		matches(t, f, futures.ErrCancelled, context.DeadlineExceeded)
		if s := p.Stats(); s.Refused != 1 || s.Submitted != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// submitBlocked submits a task to a pool whose queue is full, and returns when
// Submit waits for room. The function that it returns waits for Submit.
func submitBlocked(t *testing.T, ctx context.Context, p pool.Pool) (submitted func() *futures.Future[int]) {
	t.Helper()
	var f *futures.Future[int]
	returned := background(t, func() error {
		f = submitAndWait(ctx, p)
		return nil
	})
	eventually(t, "Submit waits", func() bool { return waiting("submitAndWait") == 1 })
	return func() *futures.Future[int] {
		t.Helper()
		_ = returned()
		return f
	}
}

//go:noinline
func appendAndWait(ctx context.Context, p pool.Pool, to appendTo) *future {
	return appendLine.Submit(ctx, p, to)
}

//go:noinline
func submitAndWait(ctx context.Context, p pool.Pool) *futures.Future[int] {
	return double.Submit(ctx, p, 21)
}
