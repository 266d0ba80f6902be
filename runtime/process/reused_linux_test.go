package process_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime/process"
)

// lastPID is the pid that the kernel gave away last. Who may write it, which
// takes CAP_CHECKPOINT_RESTORE, chooses the next.
const lastPID = "/proc/sys/kernel/ns_last_pid"

// reuse starts processes until one has the pid, and has the kernel go on where it
// was.
func reuse(t *testing.T, pid int) *exec.Cmd {
	t.Helper()
	before, err := os.ReadFile(lastPID)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.WriteFile(lastPID, bytes.TrimSpace(before), 0) }()
	var cmd *exec.Cmd
	eventually(t, "the pid to be used again", func() bool {
		if err := os.WriteFile(lastPID, []byte(strconv.Itoa(pid-1)), 0); err != nil {
			t.Fatal(err)
		}
		cmd = run(t, "sleep", "1000")
		if cmd.Process.Pid != pid {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			return false
		}
		return true
	})
	return cmd
}

func TestReusedPID(t *testing.T) {
	last, err := os.ReadFile(lastPID)
	if err != nil || os.WriteFile(lastPID, bytes.TrimSpace(last), 0) != nil {
		t.Skip("this user cannot choose pids")
	}
	cmd := run(t, "sleep", "1000")
	p := find(t, cmd.Process.Pid)
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	time.Sleep(50 * time.Millisecond) // start times are counted in ticks of 10 ms
	other := reuse(t, p.PID())
	t.Run("PS-6 a process whose pid is another's", func(t *testing.T) {
		if q := find(t, p.PID()); q == p {
			t.Error("two processes are one")
		}
		if p.Running() {
			t.Error("it runs")
		}
		for _, err := range []error{p.Kill(), p.Terminate(), p.Signal(syscall.SIGKILL)} {
			if !errors.Is(err, process.ErrReused) || !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("a signal: %v", err)
			}
		}
		e, err := p.Wait(soon(t))
		if err != nil || e.Kind != reactor.Unknown || e.Success() {
			t.Errorf("Wait: %+v, %v", e, err)
		}
		if other.Process.Signal(syscall.Signal(0)) != nil || !find(t, p.PID()).Running() {
			t.Error("the process that has the pid now was touched")
		}
	})
}
