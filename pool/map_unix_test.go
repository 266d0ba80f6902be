//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// This file is about chunks of items, which only worker processes have.

// errand is an item that notes in a log that it has begun, and then does what it
// is told.
type errand struct {
	Log  string
	N    int
	What string // "" returns N; exit, hang, fail; or the address of a gate
}

var doErrand = pool.NewTask("doErrand", func(ctx context.Context, e errand) (int, error) {
	if err := appendToFile(e.Log, fmt.Sprint(e.N)); err != nil {
		return 0, err
	}
	switch e.What {
	case "":
		return e.N, nil
	case "exit":
		os.Exit(7)
	case "hang":
		select {}
	case "fail":
		return 0, errTest
	}
	return e.N, pass(ctx, e.What)
})

// errands makes n of them, all for one log, of which some do more than return.
func errands(t testing.TB, n int, what map[int]string) []errand {
	all := make([]errand, n)
	log := t.TempDir() + "/log"
	for i := range all {
		all[i] = errand{log, i, what[i]}
	}
	return all
}

// onceEach asserts that each errand has begun once.
func onceEach(t testing.TB, all []errand) {
	t.Helper()
	begun := make([]int, len(all))
	for _, line := range lines(t, all[0].Log) {
		begun[atoi(line)]++
	}
	for i, n := range begun {
		if n != 1 {
			t.Errorf("item %d has begun %d times", i, n)
		}
	}
}

// succeed asserts that all but some items have succeeded, each with its number.
func succeed(t testing.TB, all []outcome[int], but ...int) {
	t.Helper()
	for i, o := range all {
		if !slices.Contains(but, i) && (o.err != nil || o.out != i) {
			t.Errorf("item %d: %d, %v", i, o.out, o.err)
		}
	}
}

func TestChunks(t *testing.T) {
	t.Run("PB-5 an item that hangs fails alone, and the rest of its chunk runs elsewhere", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 2})
		items := errands(t, 40, map[int]string{3: "hang", 25: "hang"})
		all := collect(doErrand.Map(patient(t), p, slices.Values(items), pool.WithChunkSize(20), pool.WithTimeout(time.Second)))
		succeed(t, all, 3, 25)
		for _, i := range []int{3, 25} {
			var timeout *pool.TimeoutError
			if !errors.As(all[i].err, &timeout) || timeout.Item != i+1 || timeout.Limit != time.Second || timeout.Elapsed < time.Second {
				t.Errorf("item %d: %+v", i, all[i].err)
			}
		}
		onceEach(t, items)
	})
	t.Run("an item that ends its worker takes no other with it", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 2})
		items := errands(t, 60, map[int]string{0: "exit", 17: "exit", 39: "exit"})
		all := collect(doErrand.Map(patient(t), p, slices.Values(items), pool.WithChunkSize(20)))
		succeed(t, all, 0, 17, 39)
		for _, i := range []int{0, 17, 39} {
			var died *pool.WorkerError
			if !errors.As(all[i].err, &died) || died.Item != i+1 || died.Exit.Code != 7 {
				t.Errorf("item %d: %+v", i, all[i].err)
			}
		}
		onceEach(t, items)
		if s := p.Stats(); s.Lost != 3 || s.Succeeded != 57 {
			t.Errorf("%+v", s)
		}
	})
	t.Run("results do not wait for an item that runs long, and idle workers take the rest over", func(t *testing.T) {
		p, g := newProcessPool(t, pool.Config{Workers: 2}), newGate(t)
		items := errands(t, 100, map[int]string{50: g.address()})
		seen := 0
		for out, err := range doErrand.MapUnordered(patient(t), p, slices.Values(items), pool.WithChunkSize(100)) {
			if err != nil {
				t.Fatal(err)
			}
			if seen++; seen == 99 {
				g.open()
			}
			if (out == 50) != (seen == 100) {
				t.Errorf("result %d is of item %d", seen, out)
			}
		}
		onceEach(t, items)
	})
	t.Run("PY-MPP-2 PY-MPP-9 what cannot travel costs its item and no worker", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1})
		before := workerPID(t, p)
		trouble := slices.Repeat([]string{"", "argument", "result", "panic"}, 20)
		all := collect(troublesome.Map(patient(t), p, func(yield func(mischievous) bool) {
			for _, what := range trouble {
				if !yield(mischievous{what}) {
					return
				}
			}
		}, pool.WithChunkSize(8)))
		for i, o := range all {
			var codec *pool.CodecError
			if bad := trouble[i] != ""; bad != errors.As(o.err, &codec) || bad && codec.Item != i+1 || !bad && o.err != nil {
				t.Errorf("item %d, %q: %+v", i, trouble[i], o.err)
			}
		}
		if len(all) != len(trouble) || workerPID(t, p) != before {
			t.Errorf("%d results; pid %d before, %d after", len(all), before, workerPID(t, p))
		}
	})
	t.Run("results of any size", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 2, MaxPayload: 1 << 20})
		sizes := []int{0, 10, 300 << 10, 1, 250 << 10, 10 << 10, 2 << 20, 5}
		all := collect(fill.Map(patient(t), p, slices.Values(sizes), pool.WithChunkSize(len(sizes))))
		for i, o := range all {
			if tooLarge := sizes[i] > 1<<20; tooLarge != (o.err != nil) || !tooLarge && len(o.out) != sizes[i] {
				t.Errorf("item %d of %d bytes: %d, %v", i, sizes[i], len(o.out), o.err)
			}
		}
	})
	for limit, config := range map[string]pool.Config{
		"of the payload": {Workers: 2, MaxPayload: 1000},
		"of the queue":   {Workers: 2, QueueBytes: 1000},
	} {
		t.Run("arguments of any size, with a small limit "+limit, func(t *testing.T) {
			p := newProcessPool(t, config)
			in := func(yield func([]byte) bool) {
				for n := 0; n <= 1200 && yield(make([]byte, n)); n += 100 {
				}
			}
			all := collect(length.Map(patient(t), p, in, pool.WithChunkSize(100)))
			for i, o := range all {
				if tooLarge := i > 10; tooLarge != (o.err != nil) || !tooLarge && o.out != 100*i {
					t.Errorf("item %d: %+v", i, o)
				}
			}
			if len(all) != 13 {
				t.Errorf("%d results", len(all))
			}
		})
	}
	t.Run("an argument that the queue can never hold fails alone", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 2, QueueBytes: 1000})
		sizes := []int{10, 2000, 300, 900, 1200, 5}
		in := func(yield func([]byte) bool) {
			for _, n := range sizes {
				if !yield(make([]byte, n)) {
					return
				}
			}
		}
		all := collect(length.Map(patient(t), p, in, pool.WithChunkSize(10)))
		for i, o := range all {
			var never *pool.QueueBytesError
			if tooLarge := sizes[i] > 1000; tooLarge != errors.As(o.err, &never) || !tooLarge && o.out != sizes[i] {
				t.Errorf("item %d of %d bytes: %d, %v", i, sizes[i], o.out, o.err)
			}
		}
		if len(all) != len(sizes) {
			t.Errorf("%d results", len(all))
		}
	})
	t.Run("PY-MPP-3 a timed map ends in time, and the pool can be shut down by force", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 2})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		lastError[*pool.MapError](t, doErrand.Map(ctx, p, slices.Values(errands(t, 50, map[int]string{0: "hang", 1: "hang"})), pool.WithChunkSize(25)))
		if err := p.Shutdown(patient(t), pool.Kill); err != nil {
			t.Error(err)
		}
	})
	t.Run("a pool that is killed cancels what a map has not begun", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 2})
		items := errands(t, 50, map[int]string{0: "hang", 25: "hang"})
		closing := background(t, func() error {
			eventually(t, "both hang", func() bool { return len(lines(t, items[0].Log)) == 2 })
			return p.Shutdown(context.Background(), pool.Kill)
		})
		cancelled := 0
		for _, err := range doErrand.Map(patient(t), p, slices.Values(items), pool.WithChunkSize(25)) {
			if errors.Is(err, context.Canceled) {
				cancelled++
			} else if !errors.Is(err, pool.ErrKilled) {
				t.Error(err)
			}
		}
		if err := closing(); err != nil || cancelled != 48 {
			t.Errorf("%d cancelled; %v", cancelled, err)
		}
	})
	t.Run("each item has a context of its own", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1})
		for i, out := range values(t, previousContext.Map(patient(t), p, numbers(6), pool.WithChunkSize(5))) {
			if want := []string{"none", "context canceled"}[min(i, 1)]; out != want {
				t.Errorf("item %d finds the context before it %q", i, out)
			}
		}
	})
}

// mischievous cannot travel in one way or another.
type mischievous struct{ What string }

func (m mischievous) MarshalBinary() ([]byte, error) {
	switch m.What {
	case "argument", "result of mine":
		return nil, errors.New("not me")
	}
	return []byte(m.What), nil
}

func (m *mischievous) UnmarshalBinary(data []byte) error {
	m.What = string(data)
	if m.What == "panic" {
		panic(m.What)
	}
	return nil
}

var troublesome = pool.NewTask("troublesome", func(_ context.Context, m mischievous) (mischievous, error) {
	if m.What == "result" {
		m.What = "result of mine"
	}
	return m, nil
})

var lastContext context.Context

// previousContext tells what has become of the context of the item before.
var previousContext = pool.NewTask("previousContext", func(ctx context.Context, _ int) (string, error) {
	last := lastContext
	lastContext = ctx
	ctx.Done()
	if last == nil {
		return "none", nil
	}
	return strings.TrimSpace(fmt.Sprint(last.Err())), nil
})
