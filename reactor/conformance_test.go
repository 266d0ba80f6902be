package reactor_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stint-go/stint/reactor"
)

func init() {
	// exit CODE
	helpers["exit"] = func(args []string) int {
		code, _ := strconv.Atoi(args[0])
		return code
	}
	// listen ends, with code 0, at the end of its stdin.
	helpers["listen"] = func([]string) int {
		_, _ = io.Copy(io.Discard, bufio.NewReader(os.Stdin))
		return 0
	}
}

// listening starts a child that lives until the returned file is closed.
func listening(t testing.TB, r *reactor.Reactor, opts ...reactor.Option) (*child, *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	t.Cleanup(func() { write.Close() })
	cmd := helper("listen")
	cmd.Stdin = read
	return watch(t, r, cmd, opts...), write
}

func TestLife(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		c, lifeline := listening(t, r)
		if got := r.Stats().Watches; got != 1 {
			t.Errorf("%d watches, want 1", got)
		}
		t.Run("PS-1 a poll answers at once", func(t *testing.T) {
			for range 1000 {
				if e, ok := c.Exited(); ok {
					t.Fatalf("the child lives, and Exited says that it %v", e)
				}
			}
		})
		lifeline.Close()
		t.Run("PY-P-2 not alive, alive, exit 0, delisted", func(t *testing.T) {
			e := c.expect("exited with code 0")
			if !e.Success() {
				t.Error("code 0 is no success")
			}
			if e, ok := c.Exited(); !ok || !e.Success() {
				t.Errorf("after the exit was delivered Exited says %v, %v", e, ok)
			}
			if s := r.Stats(); s.Watches != 0 || s.Polled != 0 || s.Exits != 1 {
				t.Errorf("after the exit: %+v", s)
			}
		})
	})
}

func TestDeliveredOnlyAfterTheExit(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		t.Run("PY-P-4 the wait handle is ready only after exit", func(t *testing.T) {
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer read.Close()
			lives, dies := listening(t, r)
			cmd := helper("exit", "0")
			cmd.Stdout = write // its end of the pipe closes when it exits, not before
			c := watch(t, r, cmd)
			write.Close()
			c.exit()
			if n, err := read.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("after the exit was told the child's pipe reads %d, %v", n, err)
			}
			if _, ok := lives.Exited(); ok {
				t.Error("the other child is said to have exited")
			}
			dies.Close()
			lives.exit()
		})
	})
}

func TestExitCodes(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		for _, code := range []int{0, 1, 8, 255} {
			t.Run("PY-P-9 exit code "+strconv.Itoa(code), func(t *testing.T) {
				e := watch(t, r, helper("exit", strconv.Itoa(code))).exit()
				if e.Kind != reactor.Exited || e.Code != code || e.Success() != (code == 0) || e.Err != nil {
					t.Errorf("got %+v", e)
				}
			})
		}
	})
}

func TestUsage(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		e := watch(t, r, helper("exit", "0")).exit()
		if e.Usage == nil || e.Usage.User+e.Usage.System <= 0 {
			t.Fatalf("usage of a Go program that ran: %+v", e.Usage)
		}
		if runtime.GOOS == "windows" {
			return
		}
		// A Go program needs some megabytes and no gigabyte: the unit is right.
		if e.Usage.MaxRSS < 1<<20 || e.Usage.MaxRSS > 1<<30 || e.Usage.MinorFaults == 0 {
			t.Errorf("usage: %+v", *e.Usage)
		}
	})
}

func TestSignalAfterExit(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		c := watch(t, r, helper("exit", "0"))
		c.exit()
		err := c.Signal(syscall.SIGKILL)
		if !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("Signal after the exit: %v", err)
		}
		var we *reactor.WatchError
		if !errors.As(err, &we) || we.PID != c.PID() {
			t.Errorf("%#v does not name process %d", err, c.PID())
		}
	})
}

func TestStop(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		t.Run("before the exit", func(t *testing.T) {
			c, _ := listening(t, r)
			if !c.Stop() || !c.Stop() {
				t.Error("Stop of a live watch says that its exit was delivered")
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

// Stop meets the exit: whoever wins, the answer is true.
func TestStopRace(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		for range 40 {
			var delivered atomic.Int32
			w, err := r.Watch(start(t, helper("exit", "0")), func(reactor.Exit) { delivered.Add(1) })
			if err != nil {
				t.Fatal(err)
			}
			var stopped bool
			eventually(t, "the exit or the stop", func() bool {
				_, exited := w.Exited()
				stopped = w.Stop()
				return exited || stopped
			})
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

func TestRefusals(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		deliver := func(e reactor.Exit) { t.Errorf("delivered: %v", e) }
		refuse := func(what string, w *reactor.Watch, err, want error) {
			t.Helper()
			var we *reactor.WatchError
			if w != nil || !errors.Is(err, want) || !errors.As(err, &we) {
				t.Errorf("%s: %v, %v; want %v", what, w, err, want)
			}
		}
		for _, pid := range []int{-1, 0, 1, os.Getpid()} {
			w, err := r.WatchPID(pid, deliver)
			refuse("pid "+strconv.Itoa(pid), w, err, reactor.ErrInvalidPID)
		}
		w, err := r.Watch(nil, deliver)
		refuse("nil process", w, err, reactor.ErrInvalidPID)

		cmd := helper("exit", "0")
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		w, err = r.Watch(cmd.Process, deliver)
		refuse("a process that was waited for", w, err, os.ErrProcessDone)
		w, err = r.WatchPID(cmd.ProcessState.Pid(), deliver)
		refuse("the pid of no process", w, err, os.ErrProcessDone)

		p := start(t, helper("exit", "0"))
		w, err = r.Watch(p, nil)
		refuse("nil deliver", w, err, reactor.ErrNilDeliver)
		if _, err := p.Wait(); err != nil {
			t.Errorf("after the refusal the caller cannot wait: %v", err)
		}
		if s := r.Stats(); s.Watches != 0 {
			t.Errorf("after the refusals: %+v", s)
		}
	})
}

func TestBackendChoice(t *testing.T) {
	t.Run("environment", func(t *testing.T) {
		t.Setenv("STINT_REACTOR", "poll")
		if got := open(t, reactor.BackendAuto).Stats().Backend; got != reactor.BackendPoll {
			t.Errorf("STINT_REACTOR=poll: %v", got)
		}
		if got := open(t, reactor.BackendWaiter).Stats().Backend; got != reactor.BackendWaiter {
			t.Errorf("the option does not decide before STINT_REACTOR: %v", got)
		}
	})
	t.Run("unknown name", func(t *testing.T) {
		t.Setenv("STINT_REACTOR", "kqeue")
		_, err := reactor.New(reactor.Config{})
		var be *reactor.BackendError
		if !errors.Is(err, reactor.ErrUnknownBackend) || !errors.As(err, &be) || be.Name != "kqeue" || be.From != "STINT_REACTOR" {
			t.Errorf("STINT_REACTOR=kqeue: %v", err)
		}
	})
	t.Run("unknown number", func(t *testing.T) {
		if _, err := reactor.New(reactor.Config{Backend: 77}); !errors.Is(err, reactor.ErrUnknownBackend) {
			t.Errorf("Backend 77: %v", err)
		}
	})
	if runtime.GOOS != "linux" {
		if _, err := reactor.New(reactor.Config{Backend: reactor.BackendPidfd}); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("pidfd on %s: %v", runtime.GOOS, err)
		}
	}
}
