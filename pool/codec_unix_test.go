//go:build unix

package pool_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// host is this process, unless it is a worker.
var host = os.Getpid()

// mischief is a value whose codec does what Encode and Decode say, in
// every process but one.
type mischief struct {
	Encode, Decode string
	Host           int // the process that is spared
}

func (m mischief) act(what string) error {
	if os.Getpid() == m.Host {
		return nil
	}
	switch what {
	case "fail":
		return errors.New("the codec says no")
	case "panic":
		panic("the codec panics")
	case "exit":
		os.Exit(7)
	case "goexit":
		runtime.Goexit()
	case "crash":
		go panic("the codec crashes")
		select {}
	}
	return nil
}

func (m mischief) MarshalBinary() ([]byte, error) {
	if err := m.act(m.Encode); err != nil {
		return nil, err
	}
	return []byte(m.Encode + " " + m.Decode + " " + itoa(m.Host)), nil
}

func (m *mischief) UnmarshalBinary(data []byte) error {
	fields := strings.Split(string(data), " ")
	m.Encode, m.Decode = fields[0], fields[1]
	m.Host = atoi(fields[2])
	return m.act(m.Decode)
}

// cyclic is a value that may contain itself.
type cyclic struct{ Next *cyclic }

var (
	takesChan   = pool.NewTask("takesChan", func(context.Context, chan int) (none, error) { return none{}, nil })
	takesFunc   = pool.NewTask("takesFunc", func(context.Context, func()) (none, error) { return none{}, nil })
	takesAny    = pool.NewTask("takesAny", func(context.Context, any) (none, error) { return none{}, nil })
	takesCyclic = pool.NewTask("takesCyclic", func(context.Context, *cyclic) (none, error) { return none{}, nil })
	takes       = pool.NewTask("takes", func(context.Context, mischief) (none, error) { return none{}, nil })
	gives       = pool.NewTask("gives", func(_ context.Context, m [3]string) (mischief, error) {
		return mischief{Encode: m[0], Decode: m[1], Host: atoi(m[2])}, nil
	})
	givesChan   = pool.NewTask("givesChan", func(context.Context, none) (chan int, error) { return make(chan int), nil })
	givesFunc   = pool.NewTask("givesFunc", func(context.Context, none) (any, error) { return func() {}, nil })
	givesCyclic = pool.NewTask("givesCyclic", func(context.Context, none) (*cyclic, error) {
		c := &cyclic{}
		c.Next = c
		return c, nil
	})
)

// TestArgumentThatCannotBeEncoded is PY-D-1: it fails its own future only, and
// nothing was submitted.
func TestArgumentThatCannotBeEncoded(t *testing.T) {
	t.Log("PY-D-1")
	p := newProcessPool(t, pool.Config{Workers: 1, MaxPayload: 1000})
	before := workerPID(t, p)
	submitted := p.Stats().Submitted
	circle := &cyclic{}
	circle.Next = circle
	array := []any{nil}
	array[0] = array

	for name, f := range map[string]futures.Awaitable{
		"a channel":              takesChan.Submit(t.Context(), p, make(chan int)),
		"a nil channel":          takesChan.Submit(t.Context(), p, nil),
		"a function":             takesFunc.Submit(t.Context(), p, func() {}),
		"a channel within":       takesAny.Submit(t.Context(), p, map[string]any{"c": make(chan int)}),
		"a value in itself":      takesCyclic.Submit(t.Context(), p, circle),
		"a slice in itself":      takesAny.Submit(t.Context(), p, array),
		"its codec refuses":      takes.Submit(t.Context(), p, mischief{Encode: "fail"}),
		"its codec panics":       takes.Submit(t.Context(), p, mischief{Encode: "panic"}),
		"over Config.MaxPayload": length.Submit(t.Context(), p, make([]byte, 1001)),
	} {
		t.Run(name, func(t *testing.T) {
			if f.State() != futures.Failed {
				t.Fatalf("the future is %v when Submit returns", f.State())
			}
			var err *pool.CodecError
			if !errors.As(f.Err(t.Context()), &err) || err.Op != "encode" || err.What != "argument" || err.Type == "" || err.Err == nil {
				t.Fatalf("got %+v", f.Err(t.Context()))
			}
		})
	}
	if s := p.Stats(); s.Submitted != submitted || s.Refused != 9 {
		t.Errorf("the figures: %+v", s)
	}
	if after := workerPID(t, p); after != before {
		t.Errorf("the worker is %d, was %d", after, before)
	}
}

// TestArgumentThatCannotBeDecoded is PY-D-2: a worker fails, panics, exits or
// crashes while it decodes a task.
func TestArgumentThatCannotBeDecoded(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	for _, what := range []string{"fail", "panic"} {
		t.Run("PY-D-2 the worker's codec: "+what, func(t *testing.T) {
			before := workerPID(t, p)
			err := failure[*pool.CodecError](t, takes.Submit(t.Context(), p, mischief{Decode: what, Host: host}))
			if err.Op != "decode" || err.What != "argument" || err.PID != before {
				t.Errorf("got %+v", err)
			}
			if after := workerPID(t, p); after != before {
				t.Errorf("the worker is %d, was %d", after, before)
			}
		})
	}
	t.Run("PY-D-2 the worker's codec: goexit", func(t *testing.T) {
		before := workerPID(t, p)
		_, err := result(t, takes.Submit(t.Context(), p, mischief{Decode: "goexit", Host: host}))
		if !errors.Is(err, pool.ErrGoexit) {
			t.Errorf("got %v", err)
		}
		if after := workerPID(t, p); after != before {
			t.Errorf("the worker is %d, was %d", after, before)
		}
	})
	for what, code := range map[string]int{"exit": 7, "crash": 2} {
		t.Run("PY-D-2 the worker's codec: "+what, func(t *testing.T) {
			before := workerPID(t, p)
			err := failure[*pool.WorkerError](t, takes.Submit(t.Context(), p, mischief{Decode: what, Host: host}))
			if err.PID != before || err.Exit.Code != code {
				t.Errorf("got %+v", err)
			}
			if after := workerPID(t, p); after == before {
				t.Error("the dead worker answers")
			}
		})
	}
}

// TestResultThatCannotBeEncoded is PY-D-5 and PY-D-6.
func TestResultThatCannotBeEncoded(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, MaxPayload: 1000})
	before := workerPID(t, p)
	spared := itoa(host)
	for name, f := range map[string]futures.Awaitable{
		"PY-D-6 a channel":          givesChan.Submit(t.Context(), p, none{}),
		"PY-D-6 a function":         givesFunc.Submit(t.Context(), p, none{}),
		"PY-D-6 a value in itself":  givesCyclic.Submit(t.Context(), p, none{}),
		"PY-D-6 its codec refuses":  gives.Submit(t.Context(), p, [3]string{"fail", "", spared}),
		"PY-D-6 its codec panics":   gives.Submit(t.Context(), p, [3]string{"panic", "", spared}),
		"PY-D-6 over MaxPayload":    fill.Submit(t.Context(), p, 10_000),
		"PY-D-6 just over, as well": fill.Submit(t.Context(), p, 1001),
	} {
		t.Run(name, func(t *testing.T) {
			awaitSettled(t, f)
			var err *pool.CodecError
			if !errors.As(f.Err(t.Context()), &err) || err.Op != "encode" || err.What != "result" || err.PID != before || err.Type == "" {
				t.Fatalf("got %+v", f.Err(t.Context()))
			}
		})
	}
	if after := workerPID(t, p); after != before {
		t.Errorf("the worker is %d, was %d", after, before)
	}
	for what, code := range map[string]int{"exit": 7, "crash": 2} {
		t.Run("PY-D-5 the worker's codec: "+what, func(t *testing.T) {
			before := workerPID(t, p)
			err := failure[*pool.WorkerError](t, gives.Submit(t.Context(), p, [3]string{what, "", spared}))
			if err.PID != before || err.Exit.Code != code {
				t.Errorf("got %+v", err)
			}
		})
	}
}

// TestResultThatCannotBeDecoded is PY-D-7: the host's own codec fails.
func TestResultThatCannotBeDecoded(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	before := workerPID(t, p)
	for _, what := range []string{"fail", "panic", "goexit"} {
		t.Run("PY-D-7 the host's codec: "+what, func(t *testing.T) {
			err := failure[*pool.CodecError](t, gives.Submit(t.Context(), p, [3]string{"", what, "0"}))
			if err.Op != "decode" || err.What != "result" || err.PID != before {
				t.Errorf("got %+v", err)
			}
		})
	}
	if after := workerPID(t, p); after != before {
		t.Errorf("the worker is %d, was %d", after, before)
	}
}
