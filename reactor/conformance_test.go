package reactor_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"runtime"
	"strconv"
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
