package reactor_test

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/reactor/refusaltest"
)

// refuse makes a system call fail for the rest of the process's life.
func refuse(t testing.TB, call uint32, errno unix.Errno) {
	t.Helper()
	if err := refusaltest.Refuse(call, errno); err != nil {
		t.Fatal(err)
	}
}

func TestPidfdRefusedAtFirst(t *testing.T) {
	if !alone(t) {
		return
	}
	refuse(t, unix.SYS_PIDFD_OPEN, unix.ENOSYS)
	var be *reactor.BackendError
	if _, err := reactor.New(reactor.Config{Backend: reactor.BackendPidfd}); !errors.Is(err, unix.ENOSYS) || !errors.As(err, &be) {
		t.Errorf("New: %v", err)
	}
	t.Setenv("STINT_REACTOR", "")
	r, log := openLogged(t, reactor.BackendAuto)
	if got := r.Stats().Backend; got != reactor.BackendPoll {
		t.Errorf("the back end is %v", got)
	}
	if n := log.count("polled"); n != 1 {
		t.Errorf("the lesser back end was logged %d times", n)
	}
	watch(t, r, tool(t, "true")).expect("exited with code 0")
}

func TestPidfdRefusedLater(t *testing.T) {
	if !alone(t) {
		return
	}
	r, log := openLogged(t, reactor.BackendPidfd)
	first := watch(t, r, tool(t, "sleep", "1000"))
	refuse(t, unix.SYS_PIDFD_OPEN, unix.EPERM)
	byPID := func() *child { return watchPID(t, r, start(t, tool(t, "sleep", "1000")).Pid) }
	byHandle := func() *child { return watch(t, r, tool(t, "sleep", "1000")) } // would need no pidfd_open
	for _, begin := range []func() *child{byPID, byHandle} {
		c := begin()
		if s := r.Stats(); s.Backend != reactor.BackendPoll || s.Polled != 1 {
			t.Errorf("after a refusal: %+v", s)
		}
		c.kill()
		c.expect("killed by SIGKILL")
	}
	if n := log.count("polled"); n != 1 {
		t.Errorf("the refusal was logged %d times", n)
	}
	first.kill()
	first.expect("killed by SIGKILL")
}

// Before Linux 6.15 the exit status of a process that is not a child is unknown.
func TestOlderKernel(t *testing.T) {
	if !alone(t) {
		return
	}
	refuse(t, unix.SYS_IOCTL, unix.ENOTTY)
	r := open(t, reactor.BackendPidfd)
	_, pid := stranger(t, "sleep", "1000")
	c := watchPID(t, r, pid)
	c.quiet(20 * time.Millisecond)
	c.kill()
	if e := c.exit(); e.Kind != reactor.Unknown || !errors.Is(e.Err, reactor.ErrNotChild) {
		t.Errorf("got %+v", e)
	}
	watch(t, r, tool(t, "true")).expect("exited with code 0")
}
