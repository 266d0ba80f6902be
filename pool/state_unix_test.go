//go:build unix

package pool_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// TestInitializerDies: an initializer that ends its worker breaks the pool, at
// once, and the error has what is left of the worker.
func TestInitializerDies(t *testing.T) {
	file := t.TempDir() + "/log"
	_, err := pool.NewProcessPool(pool.Config{
		Workers: 3, Stderr: io.Discard, Logger: slog.New(slog.DiscardHandler),
		Initializer: notebooks.With(logConfig{File: file, Open: "exit"}),
	})
	var failed *pool.InitializerError
	if !errors.Is(err, pool.ErrBroken) || !errors.As(err, &failed) {
		t.Fatalf("got %T: %v", err, err)
	}
	if failed.Err != nil || failed.Exit.Code != 3 || failed.PID == 0 || failed.Stderr != "no licence found\n" {
		t.Errorf("got %+v", failed)
	}
	for _, words := range []string{`"notebook"`, "exited with code 3", "no licence found"} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("it does not say %q: %v", words, err)
		}
	}
	if n := opened(t, file); n > 3 {
		t.Errorf("it was tried %d times", n)
	}
}

// TestInitializerRefused: what cannot be sent to a worker is refused before there
// is one.
func TestInitializerRefused(t *testing.T) {
	for name, config := range map[string]pool.Config{
		"a configuration without an encoding": {Initializer: channels.With(make(chan int))},
		"a configuration that is too long":    {Initializer: notebooks.With(logConfig{File: strings.Repeat("x", 100)}), MaxPayload: 100},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pool.NewProcessPool(config)
			var bad *pool.ConfigError
			if !errors.As(err, &bad) || bad.Field != "Initializer" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// channels is a state whose configuration goes to goroutines only.
var channels = pool.NewState("channels", func(_ context.Context, c chan int) (chan int, error) { return c, nil }, nil)

// lateState is registered when the tests run: workers do not know it.
var lateState = sync.OnceValue(func() *pool.State[int, int] {
	return pool.NewState("late", func(_ context.Context, n int) (int, error) { return n, nil }, nil)
})

func TestUnknownState(t *testing.T) {
	_, err := pool.NewProcessPool(pool.Config{Initializer: lateState().With(1)})
	if !errors.Is(err, pool.ErrUnknownState) || !errors.Is(err, pool.ErrBroken) {
		t.Errorf("got %v", err)
	}
}

// TestNoFinalizer: a worker that is killed or dies ends nothing; its replacement
// begins anew.
func TestNoFinalizer(t *testing.T) {
	file := t.TempDir() + "/log"
	p := newProcessPool(t, pool.Config{Workers: 1, Initializer: notebooks.With(logConfig{File: file})})
	value(t, note.Submit(t.Context(), p, none{}))
	failure[*pool.WorkerError](t, killSelf.Submit(t.Context(), p, syscall.SIGKILL))
	if got := value(t, note.Submit(t.Context(), p, none{})); got != 1 {
		t.Errorf("the new worker's notebook has %d lines", got)
	}
	endWorker(t, p)
	value(t, note.Submit(t.Context(), p, none{}))
	if got := lines(t, file); !slices.Equal(got, []string{"open", "open", "open"}) {
		t.Errorf("there was %q", got)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if got := lines(t, file); !slices.Equal(got, []string{"open", "open", "open", "close"}) {
		t.Errorf("there was %q", got)
	}
}

// TestCloseWhileInitializing: a worker that initializes holds up nothing; its
// initializer's context ends.
func TestCloseWhileInitializing(t *testing.T) {
	file, slow := t.TempDir()+"/log", t.TempDir()+"/slow"
	p := newProcessPool(t, pool.Config{Workers: 1, Initializer: notebooks.With(logConfig{File: file, Open: "heed", OnlyIf: slow})})
	if err := appendToFile(slow, ""); err != nil {
		t.Fatal(err)
	}
	endWorker(t, p)
	eventually(t, "the next worker initializes", func() bool { return opened(t, file) == 2 })
	begin := time.Now()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > patience/2 {
		t.Errorf("it took %v", took)
	}
}
