package futures_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

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
