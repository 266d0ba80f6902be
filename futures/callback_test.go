package futures_test

import (
	"bytes"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stint-go/stint/futures"
)

// captureLog has the default logger write to what it returns.
func captureLog(t *testing.T) *logged {
	t.Helper()
	l, before := new(logged), slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(l, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return l
}

type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) count(words string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), words)
}

func TestCallbackGetsTheSettledFuture(t *testing.T) {
	for _, settling := range settlings {
		// PY-F-2: in a callback of a cancelled future its state is cancelled already.
		t.Run("PY-F-1 PY-F-2 "+settling.name, func(t *testing.T) {
			p, f := futures.New[int](nil)
			got := make(chan futures.State)
			f.OnDone(func(g *futures.Future[int]) {
				if g != f {
					t.Error("another future")
				}
				got <- g.State()
			})
			settling.do(p)
			if s := <-got; s != settling.end {
				t.Errorf("state %v in the callback, want %v", s, settling.end)
			}
		})
		t.Run("PY-F-4 late, after "+settling.name, func(t *testing.T) {
			p, f := futures.New[int](nil)
			settling.do(p)
			var s futures.State
			f.OnDone(func(g *futures.Future[int]) { s = g.State() })
			if s != settling.end {
				t.Errorf("state %v when OnDone has returned, want %v", s, settling.end)
			}
		})
	}
}

func TestCallbacksRunInOrder(t *testing.T) {
	p, f := futures.New[int](nil)
	var order []int
	last := make(chan struct{})
	for i := range 100 {
		f.OnDone(func(*futures.Future[int]) { order = append(order, i) })
	}
	f.OnDone(func(*futures.Future[int]) { close(last) })
	p.Succeed(1)
	<-last
	if len(order) != 100 || !slices.IsSorted(order) {
		t.Errorf("order %v", order)
	}
}

func TestBadCallbacksEndAlone(t *testing.T) {
	for name, row := range map[string]struct {
		bad func()
		log string
	}{
		"PY-F-3 panic": {func() { panic("bad callback") }, "bad callback"},
		"nil panic":    {func() { panic(nil) }, "panic called with nil argument"},
		"Goexit":       {runtime.Goexit, "called runtime.Goexit"},
	} {
		t.Run(name, func(t *testing.T) {
			log := captureLog(t)
			p, f := futures.New[int](nil)
			var order []string
			last := make(chan struct{})
			bad := func(*futures.Future[int]) { row.bad() }
			f.OnDone(bad)
			f.OnDone(func(*futures.Future[int]) { order = append(order, "first") })
			f.OnDone(bad)
			f.OnDone(bad)
			f.OnDone(func(*futures.Future[int]) { order = append(order, "second") })
			f.OnDone(func(*futures.Future[int]) { close(last) })
			p.Succeed(42)
			<-last
			if !slices.Equal(order, []string{"first", "second"}) {
				t.Errorf("those behind: %v", order)
			}
			if log.count(row.log) < 3 || log.count("TestBadCallbacksEndAlone") < 3 {
				t.Errorf("logged, without the reason or the stack: %s", &log.text)
			}

			// PY-F-5: the same for one that comes late, in whose goroutine we are.
			f.OnDone(bad)
			if log.count(row.log) < 4 {
				t.Errorf("the late one is not logged: %s", &log.text)
			}
			if v, err := f.Result(t.Context()); v != 42 || err != nil {
				t.Errorf("result %v, %v", v, err)
			}
		})
	}
}

func TestBlockedCallbackHurtsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, f := futures.New[int](nil)
		release, ran := make(chan struct{}), false
		f.OnDone(func(*futures.Future[int]) { <-release })
		f.OnDone(func(*futures.Future[int]) { ran = true })
		p.Succeed(42)
		if v, err := f.Result(t.Context()); v != 42 || err != nil {
			t.Errorf("result %v, %v", v, err)
		}
		late := false
		f.OnDone(func(*futures.Future[int]) { late = true })
		if !late {
			t.Error("a late callback waits behind the blocked one")
		}
		synctest.Wait()
		if ran {
			t.Error("the second runs beside the first")
		}
		close(release)
		synctest.Wait()
		if !ran {
			t.Error("the second did not run")
		}
	})
}

func TestCallbackMayAddAnother(t *testing.T) {
	p, f := futures.New[int](nil)
	var order []string
	last := make(chan struct{})
	f.OnDone(func(g *futures.Future[int]) {
		g.OnDone(func(*futures.Future[int]) { order = append(order, "inner") })
		order = append(order, "outer")
	})
	f.OnDone(func(*futures.Future[int]) { close(last) })
	p.Fail(errBoom)
	<-last
	if !slices.Equal(order, []string{"inner", "outer"}) {
		t.Errorf("order %v", order)
	}
}

func TestNilCallbackPanics(t *testing.T) {
	mustPanic(t, "OnDone with a nil function", func() { futures.FromValue(1).OnDone(nil) })
}

func TestCallbackGoroutineEndsWithTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		p, f := futures.New[int](nil)
		for range 10 {
			f.OnDone(func(*futures.Future[int]) {})
		}
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines for callbacks that wait", n-before)
		}
		p.Cancel(errors.New("no more"))
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > before {
			t.Errorf("%d goroutines left", n-before)
		}
	})
}
