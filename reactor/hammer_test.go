package reactor_test

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stint-go/stint/reactor"
)

// Whatever is called at the same time, an exit is delivered once or was stopped.
func TestHammer(t *testing.T) {
	const hands, rounds = 8, 12
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		var delivered, stopped atomic.Int64
		strike := func() {
			p := start(t, helper("listen")) // stdin is empty: it ends by itself
			w, err := r.Watch(p, func(reactor.Exit) { delivered.Add(1) })
			if err != nil {
				t.Error(err)
				return
			}
			var both sync.WaitGroup
			both.Go(func() {
				if err := w.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Error(err)
				}
				_ = w.SignalGroup(syscall.SIGKILL)
				_ = r.Stats()
			})
			both.Go(func() {
				w.Exited()
				if p.Pid%3 == 0 && w.Stop() {
					stopped.Add(1)
				}
			})
			both.Wait()
		}
		var all sync.WaitGroup
		for range hands {
			all.Go(func() {
				for range rounds {
					strike()
				}
			})
		}
		all.Wait()
		eventually(t, "all exits", func() bool { return r.Stats().Watches == 0 && delivered.Load()+stopped.Load() >= hands*rounds })
		if d, s := delivered.Load(), stopped.Load(); d+s != hands*rounds || r.Stats().Exits != uint64(d) {
			t.Errorf("%d delivered (%d by the reactor's count) + %d stopped, of %d", d, r.Stats().Exits, s, hands*rounds)
		}
	})
}

// Close comes while processes are being watched, exit and are stopped.
func TestCloseHammer(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.String(), func(t *testing.T) {
			r, err := reactor.New(reactor.Config{Backend: b})
			if err != nil {
				t.Fatal(err)
			}
			var delivered atomic.Int64
			var all sync.WaitGroup
			half := make(chan struct{})
			for hand := range 4 {
				all.Go(func() {
					for round := range 10 {
						if hand == 0 && round == 5 {
							close(half)
						}
						p := start(t, helper("listen"))
						w, err := r.Watch(p, func(reactor.Exit) { delivered.Add(1) })
						switch {
						case err == nil && round%2 == 0:
							w.Stop()
						case err != nil && !errors.Is(err, reactor.ErrClosed):
							t.Error(err)
						}
						_, _ = p.Wait() // reaps what the reactor has let go of
					}
				})
			}
			<-half
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			atClose := delivered.Load()
			all.Wait()
			if s := r.Stats(); s.Watches != 0 || s.Polled != 0 || delivered.Load() != atClose {
				t.Errorf("after Close %+v and %d exits were delivered", s, delivered.Load()-atClose)
			}
		})
	}
}
