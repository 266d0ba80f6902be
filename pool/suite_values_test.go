package pool_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"github.com/stint-go/stint/pool"
)

// visitor is a value of a context, under visitorKey.
type visitor struct {
	Name string
	Age  int
}

// illegible is a value that can be encoded and not decoded.
type illegible struct{}

func (illegible) MarshalBinary() ([]byte, error)  { return []byte("x"), nil }
func (*illegible) UnmarshalBinary(b []byte) error { return errors.New("illegible") }

type (
	visitorKey   struct{}
	illegibleKey struct{}
	strangerKey  struct{} // is not registered
)

func init() {
	pool.RegisterContextValue[visitor]("visitor", visitorKey{})
	pool.RegisterContextValue[illegible]("illegible", illegibleKey{})
}

var (
	// whoCalls returns what its context has under visitorKey.
	whoCalls = pool.NewTask("whoCalls", func(ctx context.Context, _ int) (visitor, error) {
		derived, cancel := context.WithCancel(ctx)
		defer cancel()
		v, _ := derived.Value(visitorKey{}).(visitor)
		return v, nil
	})
	// whoCallsNested asks that of a task of its own.
	whoCallsNested = pool.NewTask("whoCallsNested", func(ctx context.Context, n int) (visitor, error) {
		p, err := pool.From(ctx)
		if err != nil {
			return visitor{}, err
		}
		return whoCalls.Submit(ctx, p, n).Result(ctx)
	})
	// traceparent returns the trace context that it runs under, as W3C has it.
	traceparent = pool.NewTask("traceparent", func(ctx context.Context, _ none) (string, error) {
		fields := propagation.MapCarrier{}
		propagation.TraceContext{}.Inject(ctx, fields)
		return fields.Get("traceparent"), nil
	})
)

// TestContextValues: what was registered travels with a task, and nothing else
// is asked for.
func TestContextValues(t *testing.T) {
	ada := visitor{"Ada", 36}
	overKinds(t, "travel", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		ctx := context.WithValue(t.Context(), visitorKey{}, ada)
		for range 10 {
			if got := value(t, whoCalls.Submit(ctx, p, 0)); got != ada {
				t.Errorf("got %+v", got)
			}
			if got := value(t, whoCalls.Submit(t.Context(), p, 0)); got != (visitor{}) {
				t.Errorf("the task of a context without it got %+v", got)
			}
		}
		if got := value(t, whoCallsNested.Submit(ctx, p, 0)); got != ada {
			t.Errorf("in a nested task: %+v", got)
		}
	})
	overKinds(t, "travel with the items of a map", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		ctx := context.WithValue(t.Context(), visitorKey{}, ada)
		n := 0
		for got, err := range whoCalls.Map(ctx, p, slices.Values(make([]int, 1000)), pool.WithChunkSize(100)) {
			if n++; err != nil || got != ada {
				t.Fatalf("item %d: %+v, %v", n, got, err)
			}
		}
		if n != 1000 {
			t.Errorf("%d items", n)
		}
	})
}

// TestTraceContext: OpenTelemetry's trace context travels when a propagator was
// set, though no worker has set one.
func TestTraceContext(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	ctx := propagation.TraceContext{}.Extract(t.Context(), propagation.MapCarrier{"traceparent": parent})
	t.Cleanup(func() { otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator()) })
	overKinds(t, "with a propagator", func(t *testing.T, open opener) {
		otel.SetTextMapPropagator(propagation.TraceContext{})
		p := open(t, pool.Config{Workers: 1})
		if got := value(t, traceparent.Submit(ctx, p, none{})); got != parent {
			t.Errorf("got %q", got)
		}
		if got := value(t, traceparent.Submit(t.Context(), p, none{})); got != "" {
			t.Errorf("the task of a context without a trace got %q", got)
		}
	})
}

// TestRegisterContextValue: what cannot be registered.
func TestRegisterContextValue(t *testing.T) {
	for name, register := range map[string]func(){
		"no name":          func() { pool.RegisterContextValue[int]("", strangerKey{}) },
		"a name twice":     func() { pool.RegisterContextValue[int]("visitor", strangerKey{}) },
		"otel's own":       func() { pool.RegisterContextValue[int]("otel", strangerKey{}) },
		"no key":           func() { pool.RegisterContextValue[int]("x", nil) },
		"a key that is no": func() { pool.RegisterContextValue[int]("x", []int{1}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "pool.RegisterContextValue: ") {
					t.Errorf("it panics with %q", text)
				}
			}()
			register()
		})
	}
}
