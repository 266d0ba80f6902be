package pool_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// TestConfig: what cannot be is refused by both constructors, and the error
// names the field (PY-E-8 for Workers; 0 is the default there).
func TestConfig(t *testing.T) {
	for field, config := range map[string]pool.Config{
		"Workers":        {Workers: -1},
		"NestedWorkers":  {NestedWorkers: -1},
		"TaskTimeout":    {TaskTimeout: -1},
		"QueueTimeout":   {QueueTimeout: -1},
		"SilenceTimeout": {SilenceTimeout: -1},
		"Grace":          {Grace: -2},
		"Queue":          {Queue: -1},
		"Spares":         {Spares: -2},
		"QueueBytes":     {QueueBytes: -1},
		"Rate":           {Rate: -1},
		"WhenFull":       {WhenFull: pool.Refuse + 1},
		"MaxPayload":     {MaxPayload: -1},
		"StartTimeout":   {StartTimeout: -1},
		"MaxFailures":    {MaxFailures: -1},
		"FailureWindow":  {FailureWindow: -1},
	} {
		t.Run(field, func(t *testing.T) {
			_, process := pool.NewProcessPool(config)
			_, goroutine := pool.NewGoroutinePool(config)
			for _, err := range []error{process, goroutine} {
				var bad *pool.ConfigError
				if !errors.As(err, &bad) || bad.Field != field || !strings.Contains(err.Error(), field) || bad.Reason == "" {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	t.Run("a rate that is no number", func(t *testing.T) {
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			_, err := pool.NewGoroutinePool(pool.Config{Rate: bad})
			if e, ok := errors.AsType[*pool.ConfigError](err); !ok || e.Field != "Rate" {
				t.Errorf("%v: got %v", bad, err)
			}
		}
	})
	t.Run("QueueBytes where nothing is encoded", func(t *testing.T) {
		_, err := pool.NewGoroutinePool(pool.Config{QueueBytes: 1})
		if e, ok := errors.AsType[*pool.ConfigError](err); !ok || e.Field != "QueueBytes" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("MaxPayload beyond what a frame can say", func(t *testing.T) {
		_, err := pool.NewProcessPool(pool.Config{MaxPayload: math.MaxInt})
		if _, ok := errors.AsType[*pool.ConfigError](err); !ok {
			t.Errorf("got %v", err)
		}
	})
}

// TestCall: a call that cannot be fails its own future at once.
func TestCall(t *testing.T) {
	p := newGoroutinePool(t, pool.Config{})
	var none context.Context
	for name, f := range map[string]*futures.Future[int]{
		"no context":                   double.Submit(none, p, 1),
		"no pool":                      double.Submit(t.Context(), nil, 1),
		"a nil process pool":           double.Submit(t.Context(), (*pool.ProcessPool)(nil), 1),
		"a nil goroutine pool":         double.Submit(t.Context(), (*pool.GoroutinePool)(nil), 1),
		"a negative limit":             double.Submit(t.Context(), p, 1, pool.WithTimeout(-1)),
		"a negative time in the queue": double.Submit(t.Context(), p, 1, pool.WithQueueTimeout(-1)),
		"a negative time of silence":   double.Submit(t.Context(), p, 1, pool.WithSilenceTimeout(-1)),
		"Go without a context":         pool.Go(none, p, func(context.Context) (int, error) { return 1, nil }),
		"Go without a function":        pool.Go[int](t.Context(), p, nil),
		"Go without a pool":            pool.Go(t.Context(), nil, func(context.Context) (int, error) { return 1, nil }),
		"Go with negative limit":       pool.Go(t.Context(), p, func(context.Context) (int, error) { return 1, nil }, pool.WithTimeout(-time.Second)),
	} {
		t.Run(name, func(t *testing.T) {
			var bad *pool.ConfigError
			if f.State() != futures.Failed || !errors.As(f.Err(t.Context()), &bad) || bad.Reason == "" {
				t.Errorf("the future is %v, %v", f.State(), f.Err(t.Context()))
			}
			if f.Cancel() || f.Kill() {
				t.Error("it can be cancelled or killed")
			}
		})
	}
}

// TestRegistration: mistakes in the program panic, and say where.
func TestRegistration(t *testing.T) {
	run := func(context.Context, int) (int, error) { return 0, nil }
	for name, register := range map[string]struct {
		do    func()
		words []string
	}{
		"a name twice": {
			func() { pool.NewTask("double", run) },
			[]string{`"double"`, "harness_test.go:", "config_test.go:"},
		},
		"no function": {func() { pool.NewTask[int, int]("no function", nil) }, []string{"no function", "config_test.go:"}},
		"no name":     {func() { pool.NewTask("", run) }, []string{"name", "config_test.go:"}},
		"a long name": {func() { pool.NewTask(strings.Repeat("x", 1025), run) }, []string{"1024", "config_test.go:"}},
		"no error":    {func() { pool.RegisterError(nil) }, []string{"nil"}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				text := fmt.Sprint(recover())
				for _, word := range register.words {
					if !strings.Contains(text, word) {
						t.Errorf("the panic does not tell %s: %s", word, text)
					}
				}
			}()
			register.do()
			t.Error("no panic")
		})
	}
	if value(t, double.Submit(t.Context(), newGoroutinePool(t, pool.Config{}), 4)) != 8 {
		t.Error("the name's first owner has lost it")
	}
	if double.Name() != "double" {
		t.Errorf("its name is %q", double.Name())
	}
}
