package futures_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stint-go/stint/futures"
)

func TestAsCompletedYieldsEveryEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ps, fs := pending(4)
		want := []*futures.Future[int]{fs[0], fs[3], fs[1], fs[2]}
		ps[0].Succeed(1) // PY-AC-1: also one that was settled before
		go func() {
			for i, settle := range []func(){
				func() { ps[3].Fail(errBoom) },
				func() { fs[1].Cancel() },
				func() { ps[2].Succeed(2) },
			} {
				<-time.After(time.Duration(i+1) * time.Second)
				settle()
			}
		}()
		if got := slices.Collect(futures.AsCompleted(t.Context(), fs)); !slices.Equal(got, want) {
			t.Errorf("PY-AC-1: yielded %v, want %v", got, want)
		}
	})
}

func TestAsCompletedUnderAnExpiredContext(t *testing.T) {
	ps, fs := pending(4)
	ps[1].Succeed(1)
	ps[3].Fail(errBoom)
	c := futures.NewCompletion(expired(t), slices.Values(fs))
	// PY-AC-2
	if got := slices.Collect(c.All()); !slices.Equal(got, []*futures.Future[int]{fs[1], fs[3]}) {
		t.Errorf("yielded %v", got)
	}
	u, ok := errors.AsType[*futures.UnfinishedError](c.Err())
	if !ok || u.Unfinished != 2 || u.Total != 4 || !errors.Is(u, context.DeadlineExceeded) {
		t.Fatalf("error %#v", c.Err())
	}
	// PY-AC-4
	if want := "2 (of 4) futures unfinished: context deadline exceeded"; u.Error() != want {
		t.Errorf("%q, want %q", u, want)
	}
}

func TestAsCompletedEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lunch := errors.New("gone for lunch")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Second, lunch)
		defer cancel()
		ps, fs := pending(3)
		time.AfterFunc(time.Second, func() { ps[2].Succeed(1) })
		c := futures.NewCompletion(ctx, slices.Values(fs))
		from := time.Now()
		if got := slices.Collect(c.All()); !slices.Equal(got, fs[2:]) {
			t.Errorf("yielded %v", got)
		}
		if d := time.Since(from); d != 5*time.Second {
			t.Errorf("ended after %v", d)
		}
		if err := c.Err(); !errors.Is(err, lunch) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

func TestAsCompletedTakesAnyIterator(t *testing.T) {
	ps, fs := pending(3)
	var source iter.Seq[*futures.Future[int]] = func(yield func(*futures.Future[int]) bool) {
		for _, i := range []int{0, 1, 0, 2, 1, 1} {
			if !yield(fs[i]) {
				return
			}
		}
	}
	for i, p := range ps {
		p.Succeed(i)
	}
	c := futures.NewCompletion(t.Context(), source)
	// PY-AC-3
	if got := slices.Collect(c.All()); !slices.Equal(got, fs) || c.Err() != nil {
		t.Errorf("yielded %v, error %v", got, c.Err())
	}
	if got := slices.Collect(c.All()); got != nil {
		t.Errorf("the second range yielded %v", got)
	}
	mustPanic(t, "nil iterator", func() { futures.NewCompletion[futures.Awaitable](t.Context(), nil) })
}

func TestAsCompletedDropsPendingDuplicates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ps, fs := pending(2)
		time.AfterFunc(time.Second, func() { ps[1].Succeed(1); ps[0].Succeed(0) })
		got := slices.Collect(futures.AsCompleted(t.Context(), slices.Concat(fs, fs, fs)))
		// PY-AC-3
		if !slices.Equal(got, []*futures.Future[int]{fs[1], fs[0]}) {
			t.Errorf("yielded %v", got)
		}
	})
}

func TestAsCompletedOverSeveralTypes(t *testing.T) {
	number, word := futures.FromValue(1), futures.FromError[string](errBoom)
	got := slices.Collect(futures.AsCompleted(t.Context(), []futures.Awaitable{number, word}))
	if len(got) != 2 || got[0] != number || got[1] != word || got[1].Err(t.Context()) != errBoom {
		t.Errorf("yielded %v", got)
	}
}

func TestAsCompletedOfNothing(t *testing.T) {
	c := futures.NewCompletion(expired(t), slices.Values([]*futures.Future[int]{}))
	if got := slices.Collect(c.All()); got != nil || c.Err() != nil {
		t.Errorf("yielded %v, error %v", got, c.Err())
	}
}

func TestAsCompletedBeginsWithTheRange(t *testing.T) {
	read := false
	seq := futures.NewCompletion(t.Context(), func(yield func(futures.Awaitable) bool) { read = true }).All()
	if read {
		t.Error("the futures were read before the range")
	}
	for range seq {
	}
	if !read {
		t.Error("the futures were not read")
	}
}

// PY-AC-5: a future that was yielded is garbage if the caller lets it go, also
// while the range goes on.
func TestYieldedFuturesAreNotRetained(t *testing.T) {
	last, lastFuture := futures.New[int](nil) // keeps the range going
	yielded := 0
	for f := range futures.AsCompleted(t.Context(), append(settling(8), lastFuture)) {
		if yielded++; f == lastFuture {
			break
		}
		w := weak.Make(f)
		f = nil
		for deadline := time.Now().Add(5 * time.Second); w.Value() != nil; runtime.GC() {
			if time.Now().After(deadline) { // whoever settled it had time to be on its way
				t.Fatalf("the future that was yielded as number %d is retained", yielded)
			}
		}
		if yielded == 8 {
			last.Succeed(1)
		}
	}
	if yielded != 9 {
		t.Errorf("%d futures were yielded", yielded)
	}
}

// settling returns n futures to which nobody else refers. Half of them have
// settled, the others are about to.
func settling(n int) []*futures.Future[int] {
	ps, fs := pending(n)
	for _, p := range ps[:n/2] {
		p.Succeed(1)
	}
	go func() {
		for _, p := range ps[n/2:] {
			p.Succeed(1)
		}
	}()
	return fs
}

func TestBreakingOffIsNoError(t *testing.T) {
	ps, fs := pending(3)
	ps[1].Succeed(1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := futures.NewCompletion(ctx, slices.Values(fs))
	for f := range c.All() {
		cancel()
		if f != fs[1] {
			t.Errorf("yielded %v", f)
		}
		break
	}
	if c.Err() != nil {
		t.Errorf("error %v", c.Err())
	}
	for i, p := range ps { // those left behind settle as if nobody had looked at them
		if p.Succeed(i) != (i != 1) {
			t.Errorf("future %d", i)
		}
	}
}

// Of three ranges that look at the same future two leave, in whatever order: the
// third is told all the same.
func TestWhoLeavesTakesNobodyAlong(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		synctest.Test(t, func(t *testing.T) {
			p, f := futures.New[int](nil)
			fs := []*futures.Future[int]{futures.FromValue(1), f}
			var nexts []func() (*futures.Future[int], bool)
			var stops []func()
			for range order {
				next, stop := iter.Pull(futures.AsCompleted(t.Context(), fs))
				next() // from here on it looks at f
				nexts, stops = append(nexts, next), append(stops, stop)
			}
			stops[order[0]]()
			stops[order[1]]()
			p.Succeed(2)
			if got, ok := nexts[order[2]](); got != f || !ok {
				t.Errorf("left in the order %v, and the last got %v", order, got)
			}
			stops[order[2]]()
		})
	}
}

// A future that stays pending does not grow, however often and in whatever way it
// is looked at and left.
func TestLongPendingFutureDoesNotGrow(t *testing.T) {
	_, long := futures.New[int](nil)
	fs := []*futures.Future[int]{long, futures.FromValue(1)}
	past := expired(t)
	for name, look := range map[string]func(){
		"break": func() {
			for range futures.AsCompleted(t.Context(), fs) {
				break
			}
		},
		"panic": func() {
			defer func() { _ = recover() }()
			for range futures.AsCompleted(t.Context(), fs) {
				panic("in the body")
			}
		},
		"ctx ended": func() {
			for range futures.AsCompleted(past, fs) {
			}
		},
		"Wait":           func() { _, _, _ = futures.Wait(t.Context(), fs, futures.FirstCompleted) },
		"Wait, expired":  func() { _, _, _ = futures.Wait(past, fs, futures.AllCompleted) },
		"Result expired": func() { _, _ = long.Result(past) },
		"Result cancelled": func() {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Microsecond, cancel)
			_, _ = long.Result(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			const looks = 3_000
			look()
			before := liveBytes()
			for range looks {
				look()
			}
			// One observer left behind a look would be 40 bytes at the least.
			if grown := int64(liveBytes()) - int64(before); grown > 20*looks {
				t.Errorf("grew by %d bytes in %d looks", grown, looks)
			}
			runtime.KeepAlive(long)
		})
	}
}

// liveBytes is the size of the live heap.
func liveBytes() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools are emptied by the second
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What had settled when ctx ended is yielded, however the two race.
func TestSettledComesBeforeTheEndOfContext(t *testing.T) {
	for range 3000 {
		ps, fs := pending(3)
		ctx, cancel := context.WithCancel(t.Context())
		c := futures.NewCompletion(ctx, slices.Values(fs))
		race(
			func() { ps[0].Succeed(1) },
			func() {
				for !fs[0].State().Settled() { // Succeed may not have returned
					runtime.Gosched()
				}
				cancel()
			},
			func() {
				if got := slices.Collect(c.All()); !slices.Equal(got, fs[:1]) {
					t.Errorf("yielded %d futures", len(got))
				}
			},
		)
		if u, ok := errors.AsType[*futures.UnfinishedError](c.Err()); !ok || u.Unfinished != 2 {
			t.Fatalf("error %v", c.Err())
		}
	}
}

// Many settle from many goroutines under several readers, some of which leave
// early: each reader gets each future at most once, and the tally is right.
func TestAsCompletedHammer(t *testing.T) {
	const rounds, n, settlers, readers = 30, 400, 4, 4
	for round := range rounds {
		ps, fs := pending(n)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for s := range settlers {
			group.Go(func() {
				for i := s; i < n; i += settlers {
					ps[i].Succeed(i)
					if i == n/2 && round%2 == 0 {
						cancel()
					}
				}
			})
		}
		for r := range readers {
			group.Go(func() {
				c := futures.NewCompletion(ctx, slices.Values(fs))
				seen := make(map[*futures.Future[int]]bool)
				for f := range c.All() {
					if seen[f] || !f.State().Settled() {
						t.Errorf("yielded twice, or unsettled: %v", f.State())
					}
					seen[f] = true
					if r == 0 && len(seen) == n/3 {
						return
					}
				}
				missing := n - len(seen)
				u, ended := errors.AsType[*futures.UnfinishedError](c.Err())
				if ended != (missing > 0) || ended && u.Unfinished != missing {
					t.Errorf("%d futures are missing, and the error is %v", missing, c.Err())
				}
			})
		}
		group.Wait()
		cancel()
	}
}

func TestAsCompletedStartsNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ps, fs := pending(1000)
		go func() { // the only one
			synctest.Wait()
			if n := runtime.NumGoroutine(); n > 50 {
				t.Errorf("%d goroutines wait for %d futures", n, len(fs))
			}
			for _, p := range ps {
				p.Succeed(1)
			}
		}()
		n := 0
		for range futures.AsCompleted(t.Context(), fs) {
			n++
		}
		if n != len(fs) {
			t.Errorf("%d yielded", n)
		}
	})
}
