package reactor_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor"
)

func init() {
	// hoard starts a child with the command line it is given, tells its pid,
	// reaps it when it hears a line, tells that, and ends with its stdin.
	helpers["hoard"] = func(args []string) int {
		cmd := exec.Command(args[0], args[1:]...)
		if err := cmd.Start(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(cmd.Process.Pid)
		in := bufio.NewScanner(os.Stdin)
		in.Scan()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		fmt.Println("reaped")
		in.Scan()
		return 0
	}
}

// stranger is a process that is another program's child.
func stranger(t testing.TB, args ...string) (parent *conversation, pid int) {
	t.Helper()
	parent = converse(t, helper("hoard", args...))
	pid, err := strconv.Atoi(parent.hear())
	if err != nil {
		t.Fatal(err)
	}
	return parent, pid
}

// tellsOthers reports whether r learns the exit codes of other programs' children.
func tellsOthers(t testing.TB, r *reactor.Reactor) bool {
	t.Helper()
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	var major, minor int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor); err != nil {
		t.Fatal(err)
	}
	return r.Stats().Backend == reactor.BackendPidfd && (major > 6 || major == 6 && minor >= 15)
}

// state returns a process's state letter, or 0 when it is gone.
func state(pid int) byte {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	return line[strings.LastIndexByte(string(line), ')')+2]
}

func TestNonChild(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		expect := func(c *child, want string) {
			t.Helper()
			e := c.exit()
			if tellsOthers(t, r) {
				if e.String() != want || e.Usage != nil {
					t.Errorf("got %+v, want: %s", e, want)
				}
				return
			}
			if e.Kind != reactor.Unknown || e.Success() || !errors.Is(e.Err, reactor.ErrNotChild) {
				t.Errorf("got %+v", e)
			}
		}
		t.Run("PS-3 killed", func(t *testing.T) {
			parent, pid := stranger(t, "sleep", "1000")
			c := watchPID(t, r, pid)
			c.quiet(50 * time.Millisecond)
			parent.say("kill and reap")
			expect(c, "killed by SIGKILL")
			if err := c.Signal(unix.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("Signal after the exit: %v", err)
			}
		})
		t.Run("PS-3 exits by itself, reaped within the grace", func(t *testing.T) {
			const grace = 250 * time.Millisecond
			untilUndisturbed(t, func() bool {
				parent, pid := stranger(t, "sh", "-c", "kill -STOP $$; exit 7")
				eventually(t, "the stop", func() bool { return state(pid) == 'T' })
				c := watchPID(t, r, pid)
				begin := time.Now()
				if err := c.Signal(unix.SIGCONT); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the exit", func() bool { return state(pid) == 'Z' })
				parent.say("reap")
				if parent.hear() != "reaped" {
					t.Fatal("not reaped")
				}
				if time.Since(begin) >= grace {
					c.exit()
					return false
				}
				expect(c, "exited with code 7")
				return true
			})
		})
		t.Run("PS-5 a zombie that nobody reaps", func(t *testing.T) {
			_, pid := stranger(t, "sleep", "1000")
			c := watchPID(t, r, pid)
			c.kill()
			e := c.exit()
			want := reactor.ErrNotChild
			if r.Stats().Backend == reactor.BackendPidfd && tellsOthers(t, r) {
				want = reactor.ErrUnreaped
			}
			if e.Kind != reactor.Unknown || !errors.Is(e.Err, want) {
				t.Errorf("got %+v", e)
			}
			if state(pid) != 'Z' {
				t.Errorf("the process is in state %c", state(pid))
			}
		})
		t.Run("WithGroup is refused", func(t *testing.T) {
			_, pid := stranger(t, "sleep", "1000")
			if _, err := r.WatchPID(pid, func(reactor.Exit) {}, reactor.WithGroup()); !errors.Is(err, reactor.ErrNotChild) {
				t.Errorf("WatchPID: %v", err)
			}
		})
	})
}
