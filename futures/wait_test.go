package futures_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stint-go/stint/futures"
)

// waitCase is one Wait: what is settled at once, what a second later, and which of
// the futures are done in the end.
type waitCase struct {
	name   string
	until  futures.Until
	n      int
	before func(ps []futures.Promise[int])
	later  func(ps []futures.Promise[int])
	blocks time.Duration // how long Wait takes
	done   []int
	failed bool // with an *UnfinishedError, at the deadline after 5 s
}

func (w waitCase) run(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	ps, fs := pending(w.n)
	if w.before != nil {
		w.before(ps)
	}
	if w.later != nil {
		time.AfterFunc(time.Second, func() { w.later(ps) })
	}
	from := time.Now()
	done, unsettled, err := futures.Wait(ctx, fs, w.until)
	if d := time.Since(from); d != w.blocks {
		t.Errorf("took %v, want %v", d, w.blocks)
	}
	var wantDone, wantPending []*futures.Future[int]
	for i, f := range fs {
		if slices.Contains(w.done, i) {
			wantDone = append(wantDone, f)
		} else {
			wantPending = append(wantPending, f)
		}
	}
	if !slices.Equal(done, wantDone) || !slices.Equal(unsettled, wantPending) {
		t.Errorf("done %v, pending %v; want %v, %v", done, unsettled, wantDone, wantPending)
	}
	u, failed := errors.AsType[*futures.UnfinishedError](err)
	if failed != w.failed || !failed && err != nil {
		t.Fatalf("error %v", err)
	}
	if failed && (u.Unfinished != len(wantPending) || u.Total != w.n || !errors.Is(err, context.DeadlineExceeded)) {
		t.Errorf("error %v", err)
	}
}

func TestWait(t *testing.T) {
	succeed := func(indexes ...int) func([]futures.Promise[int]) {
		return func(ps []futures.Promise[int]) {
			for _, i := range indexes {
				ps[i].Succeed(i)
			}
		}
	}
	fail := func(i int) func([]futures.Promise[int]) {
		return func(ps []futures.Promise[int]) { ps[i].Fail(errBoom) }
	}
	for _, w := range []waitCase{
		{name: "PY-W-2 FirstCompleted", until: futures.FirstCompleted, n: 3, later: succeed(1), blocks: time.Second, done: []int{1}},
		{name: "PY-W-3 one is done already", until: futures.FirstCompleted, n: 3, before: succeed(2), done: []int{2}},
		{name: "FirstCompleted takes a failure", until: futures.FirstCompleted, n: 2, before: fail(0), done: []int{0}},
		{name: "PY-W-4 FirstException", until: futures.FirstException, n: 4, before: succeed(3), later: fail(1), blocks: time.Second, done: []int{1, 3}},
		{name: "PY-W-5 one has failed already", until: futures.FirstException, n: 3, before: fail(2), done: []int{2}},
		{name: "FirstException without any", until: futures.FirstException, n: 2, before: succeed(0), later: succeed(1), blocks: time.Second, done: []int{0, 1}},
		{
			name: "FirstException is not a cancellation", until: futures.FirstException, n: 2, blocks: 5 * time.Second, done: []int{0}, failed: true,
			before: func(ps []futures.Promise[int]) { ps[0].Cancel(nil) },
		},
		{
			name: "PY-W-6 AllCompleted", until: futures.AllCompleted, n: 3, blocks: time.Second, done: []int{0, 1, 2}, before: succeed(0),
			later: func(ps []futures.Promise[int]) { ps[1].Fail(errBoom); ps[2].Future().Cancel() },
		},
		{name: "PY-W-7 AllCompleted runs out of time", until: futures.AllCompleted, n: 4, before: succeed(3), later: fail(1), blocks: 5 * time.Second, done: []int{1, 3}, failed: true},
		{name: "FirstCompleted runs out of time", until: futures.FirstCompleted, n: 2, blocks: 5 * time.Second, failed: true},
		{name: "nothing to wait for", until: futures.FirstCompleted},
	} {
		t.Run(w.name, func(t *testing.T) { synctest.Test(t, w.run) })
	}
}

func TestWaitCollapsesDuplicates(t *testing.T) {
	ps, fs := pending(2)
	ps[1].Succeed(1)
	done, unsettled, err := futures.Wait(expired(t), []*futures.Future[int]{fs[1], fs[0], fs[1], fs[0]}, futures.AllCompleted)
	// PY-W-1
	if !slices.Equal(done, fs[1:]) || !slices.Equal(unsettled, fs[:1]) {
		t.Errorf("done %v, pending %v", done, unsettled)
	}
	if u, ok := errors.AsType[*futures.UnfinishedError](err); !ok || u.Unfinished != 1 || u.Total != 2 {
		t.Errorf("error %v", err)
	}
}

// PY-W-7: what is done is never lost to the clock, nor is a condition that holds.
func TestWaitUnderAnExpiredContext(t *testing.T) {
	for _, until := range []futures.Until{futures.FirstCompleted, futures.FirstException, futures.AllCompleted} {
		fs := []*futures.Future[int]{futures.FromValue(1), futures.FromError[int](errBoom)}
		done, unsettled, err := futures.Wait(expired(t), fs, until)
		if !slices.Equal(done, fs) || unsettled != nil || err != nil {
			t.Errorf("%v: done %v, pending %v, error %v", until, done, unsettled, err)
		}
	}
}

func TestWaitOverSeveralTypes(t *testing.T) {
	_, number := futures.New[int](nil)
	fs := []futures.Awaitable{number, futures.FromValue("word")}
	done, unsettled, err := futures.Wait(t.Context(), fs, futures.FirstCompleted)
	if !slices.Equal(done, fs[1:]) || !slices.Equal(unsettled, fs[:1]) || err != nil {
		t.Errorf("done %v, pending %v, error %v", done, unsettled, err)
	}
}

func TestWaitForAnUnknownConditionPanics(t *testing.T) {
	mustPanic(t, "Until(7)", func() {
		_, _, _ = futures.Wait(t.Context(), []*futures.Future[int]{futures.FromValue(1)}, 7)
	})
}
