//go:build unix

package reactor_test

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/stint-go/stint/reactor"
)

// An exit is one event, the reap another; who observes takes no part in it.
func TestObserve(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		cmd := helper("listen")
		lifeline, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		c := &child{t: t, exits: make(chan reactor.Exit, 2)}
		c.Watch, err = r.Observe(cmd.Process.Pid, c.deliver)
		if err != nil {
			t.Fatal(err)
		}
		lifeline.Close()
		e := c.exit()
		if known := runtime.GOOS == "linux"; known != e.Success() || !known && !errors.Is(e.Err, reactor.ErrObserved) {
			t.Errorf("got %+v", e)
		}
		if err := c.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("Signal after the exit: %v", err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the status was for its owner: %v", err)
		}
	})
}

func TestObserveRefuses(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		for _, pid := range []int{-1, 0, 1, os.Getpid()} {
			if _, err := r.Observe(pid, func(reactor.Exit) {}); !errors.Is(err, reactor.ErrInvalidPID) {
				t.Errorf("process %d: %v", pid, err)
			}
		}
	})
}
