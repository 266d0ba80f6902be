package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/runtime"
)

// This file is about what tasks start, which ends with their worker: also what has
// left the worker's process group.

var (
	// settle starts a daemon, by two forks, in a session of its own and with an empty
	// environment, and a child in the worker's group. It adds their pids to a file, and
	// then does what it is told.
	settle = pool.NewTask("settle", func(_ context.Context, s settlement) (none, error) {
		const script = `(setsid env -i sh -c 'echo $$; exec sleep 1000 >/dev/null' &); sleep 1000 >/dev/null & echo $!`
		shell := exec.Command("sh", "-c", script)
		shell.Stderr = os.Stderr // which the two go on to hold
		told, err := shell.Output()
		if err != nil {
			return none{}, err
		}
		if err := appendToFile(s.File, string(told)+itoa(os.Getpid())); err != nil {
			return none{}, err
		}
		switch s.Then {
		case "return":
		case "exit":
			os.Exit(3)
		case "stop":
			_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
			time.Sleep(time.Hour) // until all of its threads have stopped
		case "spin":
			for n := 0; ; n++ {
			}
		case "sleep":
			time.Sleep(time.Hour)
		}
		return none{}, nil
	})
	// settleBelow has settle run in a pool of the worker's own.
	settleBelow = pool.NewTask("settleBelow", func(ctx context.Context, s settlement) (none, error) {
		p, err := pool.NewProcessPool(pool.Config{Workers: 1})
		if err != nil {
			return none{}, err
		}
		defer p.Close()
		return settle.Submit(context.Background(), p, s).Result(context.Background())
	})
)

// settlement is the argument of settle: Then is return, exit, stop, spin or sleep.
type settlement struct{ File, Then string }

func init() {
	programs["settled host"] = func() {
		pool.Main()
		ctx := context.Background()
		p, err := pool.NewProcessPool(pool.Config{Workers: 5})
		must(err)
		for _, then := range []string{"stop", "spin", "sleep", "return"} {
			settle.Submit(ctx, p, settlement{os.Getenv(pidsKey), then})
		}
		settleBelow.Submit(ctx, p, settlement{os.Getenv(pidsKey), "stop"})
		fmt.Println("ready")
		select {}
	}
}

// families waits until n families have settled, and returns their pids.
func families(t *testing.T, file string, n int) (pids []int) {
	t.Helper()
	eventually(t, "all have told their pids", func() bool { return len(lines(t, file)) == 3*n })
	for _, line := range lines(t, file) {
		pids = append(pids, atoi(line))
	}
	return pids
}

// containments are those that this machine has, each with a host.
func containments(t *testing.T, test func(t *testing.T, host *runtime.Host)) {
	for _, c := range []runtime.Containment{runtime.ContainCgroup, runtime.ContainMark} {
		t.Run(c.String(), func(t *testing.T) {
			host, err := runtime.Start(runtime.Config{Containment: c})
			if impossible := (*runtime.ContainmentError)(nil); errors.As(err, &impossible) {
				t.Skipf("not on this machine: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := host.Close(); err != nil {
					t.Error(err)
				}
			})
			test(t, host)
		})
	}
}

// TestTreeKill: however a worker ends, what its tasks have started ends with it, and
// nothing of another worker's does.
func TestTreeKill(t *testing.T) {
	containments(t, func(t *testing.T, host *runtime.Host) {
		for _, test := range []struct {
			then           string
			deadline, kill bool // what ends it; neither: itself
			is             error
		}{
			{"exit", false, false, pool.ErrWorkerDied},
			{"stop", true, false, context.DeadlineExceeded}, // does not answer: it gets SIGQUIT, and then KILL
			{"spin", true, false, context.DeadlineExceeded}, // answers where it is
			{"sleep", false, true, pool.ErrKilled},
		} {
			t.Run(test.then, func(t *testing.T) {
				p := newProcessPool(t, pool.Config{Workers: 2, Spares: pool.NoSpares, Host: host})
				theirs, ours := t.TempDir()+"/theirs", t.TempDir()+"/ours"
				keep := settle.Submit(t.Context(), p, settlement{theirs, "sleep"})
				others := families(t, theirs, 1)
				f, family := settleBy(t, p, ours, test.then, test.deadline)
				if test.kill {
					f.Kill()
				}
				if _, err := result(t, f); !errors.Is(err, test.is) {
					t.Errorf("the task's error: %v", err)
				}
				for _, pid := range family {
					eventually(t, "its end", func() bool { return !lives(pid) })
				}
				for _, pid := range others {
					if !lives(pid) {
						t.Errorf("%d, which is another worker's, has ended, too", pid)
					}
				}
				keep.Kill()
			})
		}
	})
}

// settleBy has a task settle, and returns it with its family. If it is to have a deadline that is one by
// which it has settled, however slow the machine is.
func settleBy(t *testing.T, p *pool.ProcessPool, file, then string, deadline bool) (*futures.Future[none], []int) {
	t.Helper()
	for timeout := 300 * time.Millisecond; ; timeout *= 2 {
		var options []pool.Option
		if deadline {
			options = append(options, pool.WithTimeout(timeout))
		}
		f := settle.Submit(t.Context(), p, settlement{file, then}, options...)
		if deadline {
			if _, err := result(t, f); len(lines(t, file)) == 0 && timeout < patience {
				t.Logf("too slow, and tried again: %v", err)
				continue
			}
		}
		return f, families(t, file, 1)
	}
}

// TestTreeEndsWithPool: what returned tasks have left is gone when a pool's Close
// returns, although its host goes on.
func TestTreeEndsWithPool(t *testing.T) {
	containments(t, func(t *testing.T, host *runtime.Host) {
		p, err := pool.NewProcessPool(pool.Config{Workers: 1, Host: host})
		if err != nil {
			t.Fatal(err)
		}
		file := t.TempDir() + "/pids"
		value(t, settle.Submit(t.Context(), p, settlement{file, "return"}))
		family := families(t, file, 1)
		for _, pid := range family {
			if !lives(pid) {
				t.Errorf("%d has not outlived the task", pid)
			}
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		for _, pid := range family {
			if lives(pid) {
				t.Errorf("%d lives", pid)
			}
		}
	})
}

// TestTreeKillBelow: a worker is killed that has a pool of its own: its workers,
// and what their tasks have started, end with it.
func TestTreeKillBelow(t *testing.T) {
	containments(t, func(t *testing.T, host *runtime.Host) {
		p := newProcessPool(t, pool.Config{Workers: 1, Host: host})
		file := t.TempDir() + "/pids"
		f := settleBelow.Submit(t.Context(), p, settlement{file, "stop"})
		family := families(t, file, 1)
		f.Kill()
		failure[error](t, f)
		for _, pid := range family {
			eventually(t, "its end", func() bool { return !lives(pid) })
		}
	})
}

// TestHostKilledTrees is LK-6, with what workers have started, stopped or not, here
// and in a worker's own pool.
func TestHostKilledTrees(t *testing.T) {
	for _, c := range []runtime.Containment{runtime.ContainAuto, runtime.ContainMark} {
		t.Run(c.String(), func(t *testing.T) {
			file := t.TempDir() + "/pids"
			cmd := program(t.Context(), "settled host", pidsKey+"="+file, "STINT_CONTAINMENT="+c.String())
			begin(t, cmd)
			pids := families(t, file, 5)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			killed := time.Now()
			_ = cmd.Wait()
			for _, pid := range pids {
				eventually(t, "its end", func() bool { return !lives(pid) })
			}
			if took := time.Since(killed); took > 2*time.Second {
				t.Errorf("LK-6: the last of %d processes ended %v after the host", len(pids), took)
			}
		})
	}
}
