package process_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime/process"
)

func init() {
	// threads holds four operating-system threads.
	programs["threads"] = func() {
		for range 4 {
			go func() {
				runtime.LockOSThread()
				var pipe [2]int
				_ = syscall.Pipe(pipe[:])
				_, _ = syscall.Read(pipe[0], make([]byte, 1))
			}()
		}
		time.Sleep(time.Hour)
	}
}

// program is this test binary as another program.
func program(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), programKey+"="+name)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// tree is a shell script that starts two of itself, to a depth, each in a session
// of its own, and then sleeps: 2^depth-1 shells, and a sleep each.
const tree = `
if [ $1 -gt 1 ]; then
	setsid sh -c "$0" "$0" $(($1 - 1)) &
	setsid sh -c "$0" "$0" $(($1 - 1)) &
fi
sleep 1000 &
wait`

func TestKillTree(t *testing.T) {
	leaktest.Check(t)
	for _, c := range []struct {
		name             string
		depth, processes int
	}{
		{"LK-11 depth 4 within 5 s", 4, 30},
		{"MT-2 31 that have forked, and their sleeps", 5, 62},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := find(t, run(t, "sh", "-c", tree, tree, strconv.Itoa(c.depth)).Process.Pid)
			var below []process.Process
			eventually(t, "the tree", func() bool {
				var err error
				below, err = root.Descendants()
				if err != nil {
					t.Fatal(err)
				}
				return len(below) == c.processes-1
			})
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			gone, err := root.KillTree(ctx)
			if err != nil || len(gone) != c.processes {
				t.Fatalf("%d gone, %v", len(gone), err)
			}
			for _, p := range append(below, root) {
				if p.Running() {
					t.Errorf("%v runs", p)
				}
			}
		})
	}
}

// A tree that grows while it is killed is killed whole, also if it ignores the SIGHUP with which
// the kernel continues what stands still when its group is orphaned, as under nohup(1).
func TestKillTreeThatGrows(t *testing.T) {
	leaktest.Check(t)
	const mark = "98765.4321"
	for range 5 {
		cmd := run(t, "sh", "-c", `trap "" HUP; for i in 0 1 2 3 4 5 6 7 8 9; do
			sh -c 'sleep `+mark+` & sh -c "sleep `+mark+` & wait" & wait' &
			sleep 0.005
		done; wait`)
		root := find(t, cmd.Process.Pid)
		eventually(t, "some", func() bool {
			below, err := root.Descendants()
			if err != nil {
				t.Fatal(err)
			}
			return len(below) > 10
		})
		gone, err := root.KillTree(soon(t))
		if err != nil || len(gone) <= 10 {
			t.Fatalf("%d gone, %v", len(gone), err)
		}
		_ = cmd.Wait()
		if left := sleeping(t, mark); len(left) > 0 {
			t.Fatalf("escaped: %v", left)
		}
	}
}

// sleeping finds the processes with an argument.
func sleeping(t *testing.T, mark string) (found []process.Process) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p, err := process.Find(pid)
		if err != nil {
			continue
		}
		info, err := p.Info()
		if err == nil && len(info.Args) == 2 && info.Args[1] == mark {
			found = append(found, p)
		}
	}
	return found
}

func TestKillTreeRefuses(t *testing.T) {
	leaktest.Check(t)
	self, err := process.Self()
	if err != nil {
		t.Fatal(err)
	}
	parent, err := self.Parent()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []process.Process{self, parent, find(t, 1)} {
		if gone, err := p.KillTree(soon(t)); !errors.Is(err, reactor.ErrInvalidPID) || gone != nil {
			t.Errorf("%v: %v, %v", p, gone, err)
		}
	}
	if _, err := (process.Process{}).KillTree(soon(t)); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("the zero Process: %v", err)
	}
}
