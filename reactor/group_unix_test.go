//go:build unix

package reactor_test

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor"
)

// family is a child that leads a group, and all who hold the pipe that it writes to.
type family struct {
	*child
	pipe *os.File
}

func watchFamily(t *testing.T, r *reactor.Reactor, script string) *family {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	t.Cleanup(func() { read.Close() })
	cmd := tool(t, "sh", "-c", script)
	cmd.Stdout = write
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return &family{watch(t, r, cmd, reactor.WithGroup()), read}
}

// hear waits until one of the family has written.
func (f *family) hear() {
	f.t.Helper()
	if _, err := f.pipe.Read(make([]byte, 1)); err != nil {
		f.t.Fatal(err)
	}
}

// gone asserts that soon nobody of the family is left: the pipe has an end.
func (f *family) gone() {
	f.t.Helper()
	if err := f.pipe.SetReadDeadline(time.Now().Add(patience)); err != nil {
		f.t.Fatal(err)
	}
	for {
		_, err := f.pipe.Read(make([]byte, 64))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			f.t.Error("a grandchild lives")
		}
		if err != nil {
			return
		}
	}
}

func TestGroup(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		t.Run("ER-2 the leader's exit kills the group", func(t *testing.T) {
			f := watchFamily(t, r, "trap '' TERM; sleep 1000 & sleep 1000 & exit 5")
			f.expect("exited with code 5")
			f.gone()
		})
		t.Run("SignalGroup", func(t *testing.T) {
			f := watchFamily(t, r, "sleep 1000 & echo; wait")
			f.hear()
			if err := f.SignalGroup(unix.SIGTERM); err != nil {
				t.Fatal(err)
			}
			f.expect("killed by SIGTERM")
			f.gone()
			if err := f.SignalGroup(unix.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("SignalGroup after the exit: %v", err)
			}
		})
		t.Run("SignalGroup without WithGroup", func(t *testing.T) {
			c := watch(t, r, tool(t, "sleep", "1000"))
			if err := c.SignalGroup(unix.SIGTERM); !errors.Is(err, reactor.ErrNoGroup) {
				t.Errorf("SignalGroup: %v", err)
			}
		})
		t.Run("WithGroup of one who leads none", func(t *testing.T) {
			p := start(t, tool(t, "sleep", "1000"))
			defer endProcess(t, p)
			if _, err := r.Watch(p, func(reactor.Exit) {}, reactor.WithGroup()); !errors.Is(err, reactor.ErrNotLeader) {
				t.Errorf("Watch: %v", err)
			}
		})
		t.Run("WithGroup of an adopted child", func(t *testing.T) {
			cmd := exec.Command("sleep", "1000")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			c := watchPID(t, r, start(t, cmd).Pid, reactor.WithGroup())
			if err := c.SignalGroup(unix.SIGTERM); err != nil {
				t.Fatal(err)
			}
			c.expect("killed by SIGTERM")
		})
	})
}
