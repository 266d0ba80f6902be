//go:build unix

package reactor_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor"
)

func TestTerminateAndKill(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		t.Run("PY-P-3 terminate reports SIGTERM, kill reports SIGKILL", func(t *testing.T) {
			for _, sig := range []syscall.Signal{unix.SIGTERM, unix.SIGKILL} {
				c := watch(t, r, tool(t, "sleep", "1000"))
				if err := c.Signal(sig); err != nil {
					t.Fatal(err)
				}
				e := c.expect("killed by " + unix.SignalName(sig))
				if e.Kind != reactor.Signalled || e.Signal != sig || e.CoreDumped || e.Success() {
					t.Errorf("got %+v", e)
				}
			}
		})
	})
}

func TestManyProcesses(t *testing.T) {
	const many = 100
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		t.Run("PY-P-6 100 short ones all exit 0", func(t *testing.T) {
			var cs []*child
			for range many {
				cs = append(cs, watch(t, r, tool(t, "true")))
			}
			for _, c := range cs {
				c.expect("exited with code 0")
			}
		})
		t.Run("PY-P-6 100 terminated all report SIGTERM", func(t *testing.T) {
			var cs []*child
			for range many {
				cs = append(cs, watch(t, r, tool(t, "sleep", "1000")))
			}
			for _, c := range cs {
				if err := c.Signal(unix.SIGTERM); err != nil {
					t.Fatal(err)
				}
			}
			for _, c := range cs {
				c.expect("killed by SIGTERM")
			}
		})
	})
}

func TestSimultaneousExits(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		t.Run("TK-1 10 × 10 simultaneous exits, none starved", func(t *testing.T) {
			for range 10 {
				var cs []*child
				var lifelines []*os.File
				for range 10 {
					c, lifeline := listening(t, r)
					cs, lifelines = append(cs, c), append(lifelines, lifeline)
				}
				for _, lifeline := range lifelines {
					lifeline.Close()
				}
				for _, c := range cs {
					c.expect("exited with code 0")
				}
			}
		})
	})
}

func TestInterruptedSystemCalls(t *testing.T) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, unix.SIGUSR1)
	defer signal.Stop(caught)
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		t.Run("PY-P-12 joins survive EINTR", func(t *testing.T) {
			var storm atomic.Bool
			storm.Store(true)
			over := make(chan struct{})
			go func() {
				defer close(over)
				for tick := time.NewTicker(200 * time.Microsecond); storm.Load(); <-tick.C {
					killPID(t, os.Getpid(), unix.SIGUSR1)
				}
			}()
			var cs []*child
			for i := range 50 {
				cs = append(cs, watch(t, r, tool(t, "sh", "-c", fmt.Sprintf("exit %d", i))))
			}
			for i, c := range cs {
				c.expect(fmt.Sprintf("exited with code %d", i))
			}
			storm.Store(false)
			<-over
			<-caught
		})
	})
}

func TestStopAndContinue(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		t.Run("PS-2 stop and continue are not an exit", func(t *testing.T) {
			c := watch(t, r, tool(t, "sleep", "1000"))
			for _, sig := range []syscall.Signal{unix.SIGSTOP, unix.SIGCONT} {
				if err := c.Signal(sig); err != nil {
					t.Fatal(err)
				}
				c.quiet(60 * time.Millisecond)
			}
			if err := c.Signal(unix.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			c.kill()
			c.expect("killed by SIGKILL")
		})
	})
}

func TestAlreadyDead(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer read.Close()
		cmd := helper("exit", "3")
		cmd.Stdout = write
		p := start(t, cmd)
		write.Close()
		_, _ = read.Read(make([]byte, 1)) // the end of the file: it is exiting
		watchProcess(t, r, p).expect("exited with code 3")
	})
}

// Exits that come while Watch is on its way are not missed.
func TestExitDuringWatch(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		true := tool(t, "true")
		for range 200 {
			watch(t, r, true).expect("exited with code 0")
		}
	})
}

func TestAdoptedPID(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		p := start(t, tool(t, "sh", "-c", "exit 4"))
		c := &child{t: t, exits: make(chan reactor.Exit, 2)}
		w, err := r.WatchPID(p.Pid, c.deliver)
		if err != nil {
			t.Fatal(err)
		}
		c.Watch = w
		if err := p.Release(); err != nil {
			t.Fatal(err)
		}
		if e := c.expect("exited with code 4"); e.Usage == nil {
			t.Error("a child's usage is not known")
		}
		if exists(c.PID()) {
			t.Error("the child was not reaped")
		}
	})
}

func TestStopLetsGoOfOthers(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		cmd := tool(t, "sleep", "1000")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w, err := r.WatchPID(cmd.Process.Pid, func(e reactor.Exit) { t.Errorf("delivered: %v", e) })
		if err != nil {
			t.Fatal(err)
		}
		if !w.Stop() {
			t.Error("Stop says that the exit was delivered")
		}
		if s := r.Stats(); s.Watches != 0 || s.Polled != 0 {
			t.Errorf("after Stop: %+v", s)
		}
		if err := w.Signal(unix.SIGKILL); !errors.Is(err, reactor.ErrStopped) {
			t.Errorf("Signal after Stop: %v", err)
		}
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != unix.SIGKILL {
			t.Errorf("the status of a process that was let go of: %v", err)
		}
	})
}

func TestCoreDumped(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		for _, limit := range []string{"0", "unlimited"} {
			crash := func() *exec.Cmd {
				cmd := tool(t, "sh", "-c", "ulimit -c "+limit+"; kill -ABRT $$")
				cmd.Dir = t.TempDir()
				return cmd
			}
			cmd := crash() // whether there is a core is the system's to say
			_ = cmd.Run()
			want := cmd.ProcessState.Sys().(syscall.WaitStatus).CoreDump()
			e := watch(t, r, crash()).exit()
			if e.Kind != reactor.Signalled || e.Signal != unix.SIGABRT || e.CoreDumped != want {
				t.Errorf("with ulimit -c %s: %v; the system says that a core was dumped: %v", limit, e, want)
			}
		}
	})
}
