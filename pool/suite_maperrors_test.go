package pool_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

func TestMapErrors(t *testing.T) {
	overKinds(t, "PY-E-2 PB-6 an item's error is yielded in its place, and the map goes on", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		for _, options := range [][]pool.MapOption{nil, {pool.WithChunkSize(7)}} {
			all := collect(choosy.Map(patient(t), p, numbers(100), options...))
			for i, o := range all {
				var own *pool.TaskError
				switch {
				case i%2 == 0 && (o.err != nil || o.out != i):
					t.Errorf("item %d: %+v", i, o)
				case i%2 == 1 && (!errors.As(o.err, &own) || !errors.Is(own, errOdd) || own.Item != i+1 || own.Worker == 0):
					t.Errorf("item %d: %+v", i, o.err)
				}
			}
			if len(all) != 100 {
				t.Errorf("%d results", len(all))
			}
		}
	})
	overKinds(t, "PY-E-3 a task's own deadline error is not the map's", func(t *testing.T, open opener) {
		all := collect(overdue.Map(patient(t), open(t, pool.Config{}), numbers(2)))
		for _, o := range all {
			var own *pool.TaskError
			if !errors.As(o.err, &own) || !errors.Is(o.err, context.DeadlineExceeded) {
				t.Errorf("%T: %v", o.err, o.err)
			}
		}
		if len(all) != 2 {
			t.Errorf("%d results", len(all))
		}
	})
	overKinds(t, "PB-6 an item's timeout is its own", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		in := slices.Values([]time.Duration{0, time.Hour, 0, 0})
		all := collect(sleep.Map(patient(t), p, in, pool.WithTimeout(500*time.Millisecond), pool.WithChunkSize(4)))
		for i, o := range all {
			var timeout *pool.TimeoutError
			switch {
			case i != 1 && o.err != nil:
				t.Errorf("item %d: %v", i, o.err)
			case i == 1 && (!errors.As(o.err, &timeout) || timeout.Item != 2):
				t.Errorf("item %d: %+v", i, o.err)
			}
		}
		if len(all) != 4 {
			t.Errorf("%d results", len(all))
		}
	})
	overKinds(t, "panics and Goexit are their items' alone", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		all := collect(unruly.Map(patient(t), p, slices.Values([]string{"a", "panic", "b", "exit", "c"}), pool.WithChunkSize(5)))
		if len(all) != 5 || all[0].err != nil || all[2].err != nil || all[4].err != nil || all[4].out != "c" {
			t.Fatalf("%+v", all)
		}
		var panicked *pool.PanicError
		if !errors.As(all[1].err, &panicked) || panicked.Item != 2 || !strings.Contains(panicked.Stack, "suite_maperrors_test.go") {
			t.Errorf("%+v", all[1].err)
		}
		if !errors.Is(all[3].err, pool.ErrGoexit) {
			t.Errorf("%v", all[3].err)
		}
	})
	overKinds(t, "PY-E-12 PY-MPP-5 an input that panics: what it gave before, then one error", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		bad := func(yield func(int) bool) {
			for i := range 10 {
				if !yield(i) {
					return
				}
			}
			panic("no more numbers")
		}
		for _, run := range []mapKind[int, int]{double.Map, double.MapUnordered} {
			before, e := lastError[*pool.InputError](t, run(patient(t), p, bad, pool.WithChunkSize(4)))
			if before != 10 || e.Items != 10 || e.Value != "no more numbers" || e.Type != "string" || !strings.Contains(e.Stack, "suite_maperrors_test.go") {
				t.Errorf("%d results, then %+v", before, e)
			}
		}
	})
	overKinds(t, "a panic of the loop's own body goes through", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		defer func() {
			if value := recover(); value != "of the body" {
				t.Errorf("recovered %v", value)
			}
		}()
		for range double.Map(patient(t), p, numbers(100)) {
			panic("of the body")
		}
	})
	overKinds(t, "a closed pool says so once", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		taken := 0
		for _, err := range double.Map(patient(t), p, endless(&taken), pool.WithWindow(4)) {
			if err != nil {
				if !errors.Is(err, pool.ErrClosed) {
					t.Error(err)
				}
				continue
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
	overKinds(t, "a bounded queue holds a map up, and refuses it nothing", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, Queue: 1, WhenFull: pool.Refuse})
		if got := values(t, double.Map(patient(t), p, numbers(100), pool.WithChunkSize(3))); len(got) != 100 {
			t.Errorf("%d results", len(got))
		}
	})
	overKinds(t, "PY-E-5 PY-PP-2 what cannot be is one ConfigError", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		in := numbers(3)
		for field, m := range map[string]iter.Seq2[int, error]{
			"WithWindow":    double.Map(t.Context(), p, in, pool.WithWindow(0)),
			"WithChunkSize": double.Map(t.Context(), p, in, pool.WithChunkSize(0)),
			"WithTimeout":   double.MapUnordered(t.Context(), p, in, pool.WithTimeout(-1)),
			"Map":           double.Map(t.Context(), p, nil),
		} {
			if before, e := lastError[*pool.ConfigError](t, m); before > 0 || e.Field != field {
				t.Errorf("%s: %v", field, e)
			}
		}
		for _, m := range []iter.Seq2[int, error]{
			double.Map(t.Context(), p, in, pool.WithWindow(-1)),
			double.Map(t.Context(), p, in, pool.WithChunkSize(-1)),
			double.Map(context.Context(nil), p, in),
			double.Map(t.Context(), nil, in),
		} {
			lastError[*pool.ConfigError](t, m)
		}
	})
}

// overdue returns a deadline error of its own.
var overdue = pool.NewTask("overdue", func(context.Context, int) (int, error) { return 0, context.DeadlineExceeded })

// unruly does as it is told.
var unruly = pool.NewTask("unruly", func(_ context.Context, what string) (string, error) {
	switch what {
	case "panic":
		panic(what)
	case "exit":
		runtime.Goexit()
	}
	return what, nil
})
