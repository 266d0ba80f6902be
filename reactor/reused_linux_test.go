package reactor_test

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor"
)

// lastPID is the pid that the kernel gave away last. Who may write it, which
// takes CAP_CHECKPOINT_RESTORE, chooses the next.
const lastPID = "/proc/sys/kernel/ns_last_pid"

func choosesPIDs() bool {
	last, err := os.ReadFile(lastPID)
	return err == nil && os.WriteFile(lastPID, bytes.TrimSpace(last), 0) == nil
}

// reuse starts sleeping processes until one has the pid. Then the kernel goes on
// where it was: what runs beside this test does not find all its pids used again.
func reuse(t *testing.T, pid int) *os.Process {
	t.Helper()
	before, err := os.ReadFile(lastPID)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.WriteFile(lastPID, bytes.TrimSpace(before), 0) }()
	var p *os.Process
	eventually(t, "the pid to be used again", func() bool {
		if err := os.WriteFile(lastPID, []byte(strconv.Itoa(pid-1)), 0); err != nil {
			t.Fatal(err)
		}
		p = start(t, tool(t, "sleep", "1000"))
		if p.Pid != pid {
			endProcess(t, p)
			return false
		}
		return true
	})
	t.Cleanup(func() { _ = p.Kill(); _, _ = p.Wait() })
	return p
}

// untouched asserts that p was neither killed nor reaped.
func untouched(t *testing.T, p *os.Process) {
	t.Helper()
	if err := p.Signal(unix.SIGTERM); err != nil {
		t.Fatalf("the process that has the pid now: %v", err)
	}
	state, err := p.Wait()
	if err != nil || state.Sys().(syscall.WaitStatus).Signal() != unix.SIGTERM {
		t.Errorf("the process that has the pid now: %v, %v", state, err)
	}
}

func TestReusedPID(t *testing.T) {
	if !choosesPIDs() {
		t.Skip("this user cannot choose pids")
	}
	const sometime = 50 * time.Millisecond // start times are counted in ticks of 10 ms
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		t.Run("PS-6 SEC-13 a stranger's pid", func(t *testing.T) {
			parent, pid := stranger(t, "sleep", "1000")
			c := watchPID(t, r, pid)
			c.quiet(sometime)
			parent.say("kill and reap")
			if parent.hear() != "reaped" {
				t.Fatal("not reaped")
			}
			p := reuse(t, pid)
			if err := c.Signal(unix.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("Signal: %v", err)
			}
			c.exit()
			untouched(t, p)
		})
		t.Run("PS-6 PY-SP-16 SEC-13 the pid of a child that somebody else reaped", func(t *testing.T) {
			c := watch(t, r, tool(t, "sleep", "1000"))
			c.quiet(sometime)
			killPID(t, c.PID(), unix.SIGKILL)
			_, _ = unix.Wait4(c.PID(), nil, 0, nil) // unless the reactor is faster
			p := reuse(t, c.PID())
			if err := c.Signal(unix.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("Signal: %v", err)
			}
			untouched(t, p)
			if e := c.exit(); e.Success() {
				t.Errorf("got %+v", e)
			}
		})
	})
}
