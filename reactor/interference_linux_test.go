package reactor_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor"
)

func init() {
	// traceable is listen that lets anybody trace it.
	helpers["traceable"] = func([]string) int {
		if err := unix.Prctl(unix.PR_SET_PTRACER, unix.PR_SET_PTRACER_ANY, 0, 0, 0); err != nil && err != unix.EINVAL {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println("ready")
		return helpers["listen"](nil)
	}
	// trace traces the process PID, says so, and ends with its stdin.
	helpers["trace"] = func(args []string) int {
		runtime.LockOSThread()
		pid, err := strconv.Atoi(args[0])
		if err == nil {
			_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid), 0, 0, 0, 0)
			err = os.NewSyscallError("ptrace", errnoError(errno))
		}
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("traced")
		bufio.NewScanner(os.Stdin).Scan()
		return 0
	}
}

func errnoError(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// expectOrLost waits for an exit that reads as want where the pidfd tells of it.
// Without one it may have gone to another waiter, which is no success.
func expectOrLost(t *testing.T, r *reactor.Reactor, c *child, want string) {
	t.Helper()
	e := c.exit()
	lost := e.Kind == reactor.Unknown && errors.Is(e.Err, reactor.ErrReapedElsewhere)
	if e.String() != want && (tellsOthers(t, r) || !lost) {
		t.Errorf("process %d %v, want: %s", c.PID(), e, want)
	}
}

func TestIgnoredSIGCHLD(t *testing.T) {
	if !alone(t) {
		return
	}
	signal.Ignore(unix.SIGCHLD)
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		c, lifeline := listening(t, r)
		c.quiet(20 * time.Millisecond)
		lifeline.Close()
		expectOrLost(t, r, c, "exited with code 0")

		c = watch(t, r, tool(t, "sleep", "1000"))
		c.kill()
		expectOrLost(t, r, c, "killed by SIGKILL")

		p := start(t, tool(t, "sh", "-c", "exit 3"))
		eventually(t, "a child to be gone before it is watched", func() bool { return !exists(p.Pid) })
		expectOrLost(t, r, watchProcess(t, r, p), "exited with code 3")
	})
}

// A program that waits for whatever child there is takes the status before the
// reactor can.
func TestOtherReaper(t *testing.T) {
	if !alone(t) {
		return
	}
	endProcess(t, start(t, tool(t, "true"))) // the first start of package os waits for a child of its own
	var reaped atomic.Int64
	over, gone := make(chan struct{}), make(chan struct{})
	defer func() { close(over); <-gone }()
	go func() {
		defer close(gone)
		for tick := time.NewTicker(100 * time.Microsecond); ; {
			if pid, _ := unix.Wait4(-1, nil, 0, nil); pid > 0 {
				reaped.Add(1)
				continue
			}
			select {
			case <-tick.C:
			case <-over:
				return
			}
		}
	}()
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		before := reaped.Load()
		for range 50 {
			expectOrLost(t, r, watch(t, r, tool(t, "sh", "-c", "exit 3")), "exited with code 3")
		}
		if reaped.Load() == before {
			t.Error("the other reaper got no status")
		}
	})
}

func TestTracedChild(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer read.Close()
		lifeline, end, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer end.Close()
		cmd := helper("traceable")
		cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1") // signals would stop it
		cmd.Stdin, cmd.Stdout = lifeline, write
		c := watch(t, r, cmd)
		lifeline.Close()
		write.Close()
		if _, err := read.Read(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}

		tracer := converse(t, helper("trace", strconv.Itoa(c.PID())))
		if line := tracer.hear(); line != "traced" {
			t.Fatal(line)
		}
		end.Close()
		eventually(t, "the exit", func() bool { return state(c.PID()) == 'Z' })
		before := r.Stats().Wakeups
		c.quiet(100 * time.Millisecond) // its tracer has the status
		if n := r.Stats().Wakeups - before; r.Stats().Polled == 0 && n > 1 {
			t.Errorf("the loop woke up %d times for a child that is traced", n)
		}
		tracer.say("go")
		c.expect("exited with code 0")
	})
}

// A process that becomes a child while it is watched is reaped.
func TestAdoptedWhileWatched(t *testing.T) {
	if !alone(t) {
		return
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		parent := converse(t, tool(t, "sh", "-c", "sleep 1000 >&- & echo $!; read line"))
		pid, err := strconv.Atoi(parent.hear())
		if err != nil {
			t.Fatal(err)
		}
		c := watchPID(t, r, pid)
		parent.say("leave")
		parent.end()
		c.quiet(60 * time.Millisecond)
		c.kill()
		if e := c.expect("killed by SIGKILL"); e.Usage == nil {
			t.Error("a child's usage is not known")
		}
		eventually(t, "the reap", func() bool { return !exists(pid) })
	})
}
