package pool_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

func TestFutureOfPool(t *testing.T) {
	overKinds(t, "PY-F-6 cancel: pending and cancelled true, running and finished false", func(t *testing.T, open opener) {
		p, g, held := saturate(t, open, pool.Config{Workers: 1})
		queued := double.Submit(t.Context(), p, 1)
		for _, state := range []futures.State{futures.Pending, futures.Cancelled} {
			if got := queued.State(); got != state || !queued.Cancel() {
				t.Errorf("%v, which is to be %v: false", got, state)
			}
		}
		matches(t, queued, futures.ErrCancelled)
		if held[0].Cancel() {
			t.Error("running: true")
		}
		g.open()
		value(t, held[0])
		if held[0].Cancel() {
			t.Error("finished: true")
		}
		if entered, _ := g.figures(); entered != 1 {
			t.Errorf("%d tasks ran", entered)
		}
	})

	overKinds(t, "PY-F-7 every state", func(t *testing.T, open opener) {
		p, g, held := saturate(t, open, pool.Config{Workers: 1})
		bad, good, never := fail.Submit(t.Context(), p, "boom"), double.Submit(t.Context(), p, 1), double.Submit(t.Context(), p, 2)
		never.Cancel()
		is := func(f futures.Awaitable, want futures.State) {
			t.Helper()
			if got := f.State(); got != want || got.Settled() != isDone(f) {
				t.Errorf("state %v, done %v; want %v", got, isDone(f), want)
			}
		}
		is(held[0], futures.Running)
		is(bad, futures.Pending)
		is(good, futures.Pending)
		is(never, futures.Cancelled)
		g.open()
		value(t, good)
		is(held[0], futures.Succeeded)
		is(bad, futures.Failed)
		is(good, futures.Succeeded)
		is(never, futures.Cancelled)

		killed := running(t, untilCancelled.Submit(t.Context(), p, none{}))
		killed.Kill()
		awaitSettled(t, killed)
		is(killed, futures.Failed)
		late := holdOn.Submit(t.Context(), p, newGate(t).address(), pool.WithTimeout(time.Millisecond))
		awaitSettled(t, late)
		is(late, futures.Failed)
	})

	overKinds(t, "PY-F-9 a blocked waiter wakes on settle and on cancel", func(t *testing.T, open opener) {
		p, g, held := saturate(t, open, pool.Config{Workers: 1})
		queued := double.Submit(t.Context(), p, 1)
		wait := func(f futures.Awaitable) func() error {
			return background(t, func() error { return resultOf(f) })
		}
		settled, cancelled := wait(held[0]), wait(queued)
		eventually(t, "both wait", func() bool { return waiting("resultOf") == 2 })
		queued.Cancel()
		if err := cancelled(); !errors.Is(err, futures.ErrCancelled) {
			t.Errorf("on cancel: %v", err)
		}
		g.open()
		if err := settled(); err != nil {
			t.Errorf("on settle: %v", err)
		}
	})

	overKinds(t, "Kill cancels the pending and kills the running", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		held := holdOn.Submit(t.Context(), p, g.address())
		g.holds(t, 1)
		queued := double.Submit(t.Context(), p, 1)
		if !queued.Kill() {
			t.Error("pending: false")
		}
		matches(t, queued, futures.ErrCancelled)
		if !held.Kill() {
			t.Error("running: false")
		}
		matches(t, held, pool.ErrKilled)
		if held.Kill() {
			t.Error("finished: true")
		}
		if killed := failure[*pool.KilledError](t, held); killed.Cause != nil || killed.Task != "holdOn" || killed.Worker != 1 {
			t.Errorf("%#v", killed)
		}
		if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 {
			t.Errorf("afterwards: %d", got)
		}
		if s := p.Stats(); s.Killed != 1 || s.Failed != 1 || s.Cancelled != 1 || s.TimedOut != 0 || s.Lost != 0 {
			t.Errorf("%+v", s)
		}
	})
}

//go:noinline
func resultOf(f futures.Awaitable) error { return f.Err(context.Background()) }

func isDone(f futures.Awaitable) bool {
	select {
	case <-f.Done():
		return true
	default:
		return false
	}
}

// everyKind opens one pool of each kind, so that a test can look at futures of
// different pools together.
func everyKind(t *testing.T, config pool.Config) []pool.Pool {
	pools := make([]pool.Pool, len(kinds))
	for i, k := range kinds {
		pools[i] = k.open(t, config)
	}
	return pools
}

func TestAsCompletedOfSeveralPools(t *testing.T) {
	t.Run("PY-AC-1 yields successes, failures and cancellations", func(t *testing.T) {
		g := newGate(t)
		want := map[futures.Awaitable]futures.State{}
		for _, p := range everyKind(t, pool.Config{Workers: 1}) {
			want[hold.Submit(t.Context(), p, g.address())] = futures.Succeeded
			want[fail.Submit(t.Context(), p, "boom")] = futures.Failed
			cancelled := double.Submit(t.Context(), p, 1)
			cancelled.Cancel()
			want[cancelled] = futures.Cancelled
		}
		g.holds(t, len(kinds))
		got := map[futures.Awaitable]futures.State{}
		for f := range futures.AsCompleted(t.Context(), keys(want)) {
			got[f] = f.State()
			if len(got) == len(kinds) {
				g.open() // the cancelled ones have come, one of each pool
			}
		}
		for f, state := range want {
			if got[f] != state {
				t.Errorf("%v, want %v", got[f], state)
			}
		}
	})

	t.Run("PY-AC-2 PY-AC-4 finished ones come in an expired context, and the others are counted", func(t *testing.T) {
		g := newGate(t)
		var fs []futures.Awaitable
		for _, p := range everyKind(t, pool.Config{Workers: 2}) {
			fs = append(fs, hold.Submit(t.Context(), p, g.address()))
			done := double.Submit(t.Context(), p, 1)
			value(t, done)
			fs = append(fs, done)
		}
		completion := futures.NewCompletion(expired(t), slices.Values(fs))
		got := 0
		for f := range completion.All() {
			got++
			if f.State() != futures.Succeeded {
				t.Error(f.State())
			}
		}
		err, ok := errors.AsType[*futures.UnfinishedError](completion.Err())
		if !ok || err.Unfinished != len(kinds) || err.Total != 2*len(kinds) || got != len(kinds) {
			t.Errorf("%d came, error %v", got, completion.Err())
		}
	})

	t.Run("PY-AC-3 duplicates come once", func(t *testing.T) {
		var fs []*futures.Future[int]
		for _, p := range everyKind(t, pool.Config{Workers: 2}) {
			fs = append(fs, submit(t, p, 10)...)
		}
		got := 0
		for range futures.NewCompletion(t.Context(), twice(fs)).All() {
			got++
		}
		if got != len(fs) {
			t.Errorf("%d of %d came", got, len(fs))
		}
	})
}

func twice[T any](s []T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, v := range slices.Concat(s, s) {
			if !yield(v) {
				return
			}
		}
	}
}

func keys[K comparable, V any](m map[K]V) (keys []K) {
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

func TestWaitForSeveralPools(t *testing.T) {
	t.Run("PY-W-2 FirstCompleted", func(t *testing.T) {
		g := newGate(t)
		var fs []futures.Awaitable
		for _, p := range everyKind(t, pool.Config{Workers: 1}) {
			fs = append(fs, hold.Submit(t.Context(), p, g.address()))
		}
		last := newGoroutinePool(t, pool.Config{Workers: 1})
		fs = append(fs, double.Submit(t.Context(), last, 1))
		done, pending, err := futures.Wait(t.Context(), fs, futures.FirstCompleted)
		if err != nil || len(done) != 1 || done[0] != fs[len(fs)-1] || len(pending) != len(kinds) {
			t.Errorf("%v, %v, %v", done, pending, err)
		}
	})

	t.Run("PY-W-4 FirstException", func(t *testing.T) {
		g := newGate(t)
		var fs []futures.Awaitable
		pools := everyKind(t, pool.Config{Workers: 2})
		for _, p := range pools {
			success := double.Submit(t.Context(), p, 1)
			value(t, success)
			fs = append(fs, success, hold.Submit(t.Context(), p, g.address()))
		}
		fs = append(fs, fail.Submit(t.Context(), pools[0], "boom"))
		done, pending, err := futures.Wait(t.Context(), fs, futures.FirstException)
		if err != nil || len(done) != len(kinds)+1 || len(pending) != len(kinds) {
			t.Errorf("%v, %v, %v", done, pending, err)
		}
	})

	t.Run("PY-W-6 AllCompleted", func(t *testing.T) {
		g := newGate(t)
		var fs []futures.Awaitable
		for _, p := range everyKind(t, pool.Config{Workers: 1}) {
			fs = append(fs, hold.Submit(t.Context(), p, g.address()), fail.Submit(t.Context(), p, "boom"))
			cancelled := double.Submit(t.Context(), p, 1)
			fs = append(fs, cancelled)
			if !cancelled.Cancel() {
				t.Error("it has begun")
			}
		}
		g.open()
		done, pending, err := futures.Wait(t.Context(), fs, futures.AllCompleted)
		if err != nil || len(done) != len(fs) || len(pending) != 0 {
			t.Errorf("%v, %v, %v", done, pending, err)
		}
	})

	t.Run("PY-W-7 a timeout loses nothing", func(t *testing.T) {
		g := newGate(t)
		var fs []futures.Awaitable
		for _, p := range everyKind(t, pool.Config{Workers: 1}) {
			success := double.Submit(t.Context(), p, 1)
			value(t, success)
			fs = append(fs, success, hold.Submit(t.Context(), p, g.address()))
		}
		done, pending, err := futures.Wait(expired(t), fs, futures.AllCompleted)
		if !errors.Is(err, context.DeadlineExceeded) || len(done) != len(kinds) || len(pending) != len(kinds) {
			t.Errorf("%v, %v, %v", done, pending, err)
		}
	})

	t.Run("PY-W-8 100 simultaneous completions lose no wake-up", func(t *testing.T) {
		g := newGate(t)
		var fs []*future
		for range 10 {
			p := newGoroutinePool(t, pool.Config{Workers: 10})
			for range 10 {
				fs = append(fs, hold.Submit(t.Context(), p, g.address()))
			}
		}
		g.holds(t, 100)
		all := background(t, func() error {
			_, _, err := futures.Wait(context.Background(), fs, futures.AllCompleted)
			return err
		})
		g.open()
		if err := all(); err != nil {
			t.Error(err)
		}
	})
}
