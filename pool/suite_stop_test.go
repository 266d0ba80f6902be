package pool_test

import (
	"context"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// TestStopFromACallback: the callback of a task may end the pool that ran it.
func TestStopFromACallback(t *testing.T) {
	overKinds(t, "PB-8 stop from a callback; later submits error", func(t *testing.T, open opener) {
		for _, mode := range []pool.ShutdownMode{pool.Drain, pool.CancelPending, pool.Kill} {
			p := open(t, pool.Config{Workers: 1})
			stopped := make(chan error, 1)
			echo.Submit(t.Context(), p, "x").OnDone(func(*futures.Future[string]) {
				stopped <- p.Shutdown(context.Background(), mode)
			})
			select {
			case err := <-stopped:
				if err != nil {
					t.Errorf("%v: %v", mode, err)
				}
			case <-time.After(patience):
				t.Fatalf("%v: the shutdown has not returned", mode)
			}
			matches(t, echo.Submit(t.Context(), p, "x"), pool.ErrClosed)
		}
	})
}

// TestStopMidway: a pool ends while a large argument is on its way to a worker.
func TestStopMidway(t *testing.T) {
	large := make([]byte, 110_000_000)
	for _, after := range []time.Duration{0, 20 * time.Millisecond, 80 * time.Millisecond} {
		overKinds(t, "PB-9 a large argument; stop after "+after.String(), func(t *testing.T, open opener) {
			p := open(t, pool.Config{Workers: 1})
			var fs []*futures.Future[int]
			for range 2 {
				fs = append(fs, length.Submit(t.Context(), p, large))
			}
			time.Sleep(after) // the time is the test
			if err := p.Shutdown(t.Context(), pool.Kill); err != nil {
				t.Error(err)
			}
			for _, f := range fs {
				n, err := result(t, f)
				if err == nil && n != len(large) {
					t.Errorf("it has %d bytes", n)
				}
				if err != nil {
					matches(t, f, pool.ErrShutdown)
				}
			}
		})
	}
}
