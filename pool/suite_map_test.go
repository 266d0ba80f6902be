package pool_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/stint-go/stint/pool"
)

// errOdd is what choosy says of odd numbers.
var errOdd = pool.RegisterError(errors.New("it is odd"))

// choosy returns even numbers and fails for odd ones.
var choosy = pool.NewTask("choosy", func(_ context.Context, n int) (int, error) {
	if n%2 != 0 {
		return 0, errOdd
	}
	return n, nil
})

// mapKind is Map or MapUnordered.
type mapKind[In, Out any] func(context.Context, pool.Pool, iter.Seq[In], ...pool.MapOption) iter.Seq2[Out, error]

// outcome is what a map yields.
type outcome[Out any] struct {
	out Out
	err error
}

// collect reads a map to its end.
func collect[Out any](m iter.Seq2[Out, error]) (all []outcome[Out]) {
	for out, err := range m {
		all = append(all, outcome[Out]{out, err})
	}
	return all
}

// values reads a map that must succeed.
func values[Out any](t testing.TB, m iter.Seq2[Out, error]) (all []Out) {
	t.Helper()
	for out, err := range m {
		if err != nil {
			t.Fatalf("result %d failed: %v", len(all), err)
		}
		all = append(all, out)
	}
	return all
}

// numbers yields 0 to n-1.
func numbers(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i++ {
		}
	}
}

// endless yields 0, 1 … and counts how many were taken.
func endless(taken *int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for *taken++; yield(*taken - 1); *taken++ {
		}
	}
}

// patient is a context for a test's map, so that it does not hang for ever.
func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// lastError reads a map that must end with its only error, of type E, and returns
// how many results came before.
func lastError[E error, Out any](t testing.TB, m iter.Seq2[Out, error]) (before int, e E) {
	t.Helper()
	all := collect(m)
	for i, o := range all {
		switch {
		case i < len(all)-1 && o.err != nil:
			t.Fatalf("result %d of %d failed: %v", i, len(all), o.err)
		case i == len(all)-1 && !errors.As(o.err, &e):
			t.Fatalf("the last error is %T: %v; want %T", o.err, o.err, e)
		}
	}
	if len(all) == 0 {
		t.Fatal("the map yielded nothing")
	}
	return len(all) - 1, e
}

func TestMap(t *testing.T) {
	overKinds(t, "PY-E-1 PY-PP-2 results keep the input's order at any chunk size", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		for _, options := range [][]pool.MapOption{
			nil,
			{pool.WithChunkSize(1)},
			{pool.WithChunkSize(6)},
			{pool.WithChunkSize(40)},
			{pool.WithChunkSize(50)},
			{pool.WithChunkSize(7), pool.WithWindow(5)},
			{pool.WithWindow(1)},
		} {
			for i, out := range values(t, double.Map(patient(t), p, numbers(40), options...)) {
				if out != 2*i {
					t.Errorf("result %d is %d", i, out)
				}
			}
		}
	})
	overKinds(t, "PY-MPP-4 unordered, every result comes once", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 3})
		for _, run := range []mapKind[int, int]{double.Map, double.MapUnordered} {
			for _, options := range [][]pool.MapOption{nil, {pool.WithChunkSize(100)}} {
				got := values(t, run(patient(t), p, numbers(1000), options...))
				slices.Sort(got)
				if len(got) != 1000 || got[0] != 0 || got[999] != 1998 || len(slices.Compact(got)) != 1000 {
					t.Errorf("%d results: %v", len(got), got)
				}
			}
		}
	})
	overKinds(t, "unordered, none waits for one that was sent before", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 2}), newGate(t)
		addresses := func(yield func(string) bool) { _ = yield(g.address()) && yield("") && yield("") }
		seen := 0
		for out, err := range passOrEcho.MapUnordered(patient(t), p, addresses) {
			if err != nil {
				t.Fatal(err)
			}
			if seen++; seen == 2 {
				g.open()
			}
			if held := out != ""; held != (seen == 3) {
				t.Errorf("result %d is %q", seen, out)
			}
		}
	})
	overKinds(t, "an empty input gives an empty map", func(t *testing.T, open opener) {
		if all := collect(double.Map(patient(t), open(t, pool.Config{}), numbers(0))); len(all) > 0 {
			t.Errorf("it yields %v", all)
		}
	})
	overKinds(t, "each range is a map of its own", func(t *testing.T, open opener) {
		m := double.Map(patient(t), open(t, pool.Config{}), slices.Values([]int{1, 2}))
		if first, second := values(t, m), values(t, m); !slices.Equal(first, second) || len(first) != 2 {
			t.Errorf("%v, then %v", first, second)
		}
	})
	overKinds(t, "a channel and pairs are inputs", func(t *testing.T, open opener) {
		p, c := open(t, pool.Config{}), make(chan int, 3)
		for n := range 3 {
			c <- n
		}
		close(c)
		pairs := pool.Zip(pool.Received(t.Context(), c), slices.Values([]string{"a", "b", "c", "d"}))
		if got := values(t, describePair.Map(patient(t), p, pairs)); !slices.Equal(got, []string{"0 a", "1 b", "2 c"}) {
			t.Errorf("%q", got)
		}
	})
	overKinds(t, "the figures count items", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		collect(choosy.Map(patient(t), p, numbers(100), pool.WithChunkSize(10)))
		if s := p.Stats(); s.Submitted != 100 || s.Succeeded != 50 || s.Failed != 50 {
			t.Errorf("%+v", s)
		}
	})
}

// passOrEcho passes the gate at an address, if there is one, and returns it.
var passOrEcho = pool.NewTask("passOrEcho", func(ctx context.Context, address string) (string, error) {
	if address == "" {
		return "", nil
	}
	return address, pass(ctx, address)
})

var describePair = pool.NewTask("describePair", func(_ context.Context, p pool.Pair[int, string]) (string, error) {
	return fmt.Sprint(p.First, " ", p.Second), nil
})

// quadruple doubles twice, by tasks of its own.
var quadruple = pool.NewTask("quadruple", func(ctx context.Context, n int) (int, error) {
	p, err := pool.From(ctx)
	if err != nil {
		return 0, err
	}
	twice, err := double.Submit(ctx, p, n).Result(ctx)
	if err != nil {
		return 0, err
	}
	for out, err := range double.Map(ctx, p, slices.Values([]int{twice})) {
		return out, err
	}
	return 0, errors.New("the map is empty")
})

func TestMapOfNestingTasks(t *testing.T) {
	overKinds(t, "items may submit tasks and map", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		for i, out := range values(t, quadruple.Map(patient(t), p, numbers(60), pool.WithChunkSize(20))) {
			if out != 4*i {
				t.Errorf("item %d: %d", i, out)
			}
		}
	})
}
