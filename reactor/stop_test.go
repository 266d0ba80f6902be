package reactor_test

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor"
)

func TestStop(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		t.Run("before the exit", func(t *testing.T) {
			c, _ := listening(t, r)
			for range 2 {
				if !c.Stop() {
					t.Error("Stop of a live watch says that its exit was delivered")
				}
			}
			c.kill()
			eventually(t, "the stopped child to be reaped", func() bool { _, ok := c.Exited(); return ok })
			if len(c.exits) != 0 {
				t.Error("the exit was delivered after Stop")
			}
			if !c.Stop() {
				t.Error("Stop after the silent exit says that it was delivered")
			}
		})
		t.Run("after the exit", func(t *testing.T) {
			c := watch(t, r, helper("exit", "0"))
			c.exit()
			if c.Stop() {
				t.Error("Stop after the delivery says that there was none")
			}
		})
		t.Run("from deliver", func(t *testing.T) {
			stopped := make(chan bool, 1)
			var w atomic.Pointer[reactor.Watch]
			p := start(t, helper("exit", "0"))
			ready := make(chan struct{})
			watch, err := r.Watch(p, func(reactor.Exit) {
				<-ready
				stopped <- w.Load().Stop()
			})
			if err != nil {
				t.Fatal(err)
			}
			w.Store(watch)
			close(ready)
			if <-stopped {
				t.Error("Stop inside deliver says that it will never be called")
			}
		})
	})
}

// Stop meets the exit, which takes some milliseconds to come, a little later each
// time. Whoever wins, the answer is true.
func TestStopRace(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		for i := range 40 {
			var delivered atomic.Int32
			w, err := r.Watch(start(t, helper("exit", "0")), func(reactor.Exit) { delivered.Add(1) })
			if err != nil {
				t.Fatal(err)
			}
			for begin := time.Now(); time.Since(begin) < time.Duration(i)*250*time.Microsecond; {
				runtime.Gosched()
			}
			stopped := w.Stop()
			eventually(t, "the exit", func() bool { _, ok := w.Exited(); return ok })
			want := int32(1)
			if stopped {
				want = 0
			}
			eventually(t, "deliver to return", func() bool { return delivered.Load() == want || delivered.Load() > 1 })
			if got := delivered.Load(); got != want {
				t.Fatalf("Stop said %v and the exit was delivered %d times", stopped, got)
			}
		}
	})
}

func TestClose(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer write.Close()
		cmd := helper("listen")
		cmd.Stdin = read
		p := start(t, cmd)
		read.Close()
		pid := p.Pid
		exits := make(chan reactor.Exit, 1)
		w, err := r.Watch(p, func(e reactor.Exit) { exits <- e })
		if err != nil {
			t.Fatal(err)
		}

		var closers sync.WaitGroup
		for range 4 {
			closers.Go(func() {
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		closers.Wait()

		if err := w.Signal(syscall.SIGKILL); !errors.Is(err, reactor.ErrClosed) {
			t.Errorf("Signal after Close: %v", err)
		}
		if !w.Stop() {
			t.Error("Stop after Close says that the exit was delivered")
		}
		if s := r.Stats(); s.Watches != 0 || s.Polled != 0 {
			t.Errorf("after Close: %+v", s)
		}
		survivor, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Watch(survivor, func(reactor.Exit) {}); !errors.Is(err, reactor.ErrClosed) {
			t.Errorf("Watch after Close: %v", err)
		}
		if _, err := r.WatchPID(pid, func(reactor.Exit) {}); !errors.Is(err, reactor.ErrClosed) {
			t.Errorf("WatchPID after Close: %v", err)
		}

		// The child lives, and is its next waiter's.
		write.Close()
		state, err := survivor.Wait()
		if err != nil || !state.Success() {
			t.Errorf("after Close the child ended with %v, %v", state, err)
		}
		if len(exits) != 0 {
			t.Error("an exit was delivered after Close")
		}
	})
}
