package runtime_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime"
	"github.com/stint-go/stint/runtime/internal/cgroup"
)

const (
	memoryLimit = 64 << 20
	hungry      = "exec dd if=/dev/zero of=/dev/null bs=160M" // holds that, for ever
)

// limited starts a host for each way to hold processes to their memory, with what keeps
// them together, that this machine has.
func limited(t *testing.T, test func(t *testing.T, h *runtime.Host, by runtime.Limiter)) {
	for _, way := range []struct {
		runtime.Containment
		runtime.Limiter
	}{
		{runtime.ContainAuto, runtime.LimitCgroup},
		{runtime.ContainMark, runtime.LimitCgroup},
		{runtime.ContainGroup, runtime.LimitCgroup},
		{runtime.ContainCgroup, runtime.LimitWatch},
		{runtime.ContainMark, runtime.LimitWatch},
	} {
		t.Run(fmt.Sprintf("%v, contained by %v", way.Limiter, way.Containment), func(t *testing.T) {
			leaktest.Check(t)
			h, err := runtime.Start(runtime.Config{Containment: way.Containment, Limiter: way.Limiter, Logger: slog.New(slog.DiscardHandler)})
			if impossible := (*runtime.ContainmentError)(nil); errors.As(err, &impossible) {
				t.Skipf("not on this machine: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := h.Close(); err != nil {
					t.Error(err)
				}
				for _, left := range groupsOf(t, os.Getpid()) {
					t.Errorf("%s is left", left)
				}
			}()
			if inForce, why := h.Limiter(); inForce != way.Limiter {
				t.Skipf("not on this machine: %v", why)
			}
			test(t, h, way.Limiter)
		})
	}
}

// groupsOf returns the control groups of a process's hosts, of version 1 and of version 2, where
// they may be beside this program's own.
func groupsOf(t *testing.T, pid int) (groups []string) {
	t.Helper()
	for _, controller := range []string{"memory", "pids"} {
		places, err := cgroup.Places(os.DirFS("/"), controller)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range places {
			directories := []string{p.Directory}
			if p.Version == 2 && p.Directory != p.Mount {
				directories = append(directories, filepath.Dir(p.Directory))
			}
			for _, directory := range directories {
				found, _ := filepath.Glob(fmt.Sprintf("/%s/stint-%d-*", directory, pid))
				groups = append(groups, found...)
			}
		}
	}
	return groups
}

// script starts a shell that is bounded and does what it is told.
func script(t testing.TB, h *runtime.Host, limits actors.Limits, text string) *lone {
	t.Helper()
	l := &lone{started: make(chan *actors.Process, 1), exited: make(chan actors.Report, 1)}
	err := h.Actors().Start(l, func() (actors.Command, error) {
		return actors.Command{Path: "/bin/sh", Args: []string{"sh", "-c", text}, Limits: limits, Enclosed: true}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// running waits for the start.
func (l *lone) running(t testing.TB) *actors.Process {
	t.Helper()
	p, ok := <-l.started
	if !ok {
		t.Fatal(l.refused)
	}
	return p
}

// A process that has more memory than it may, or whose child has, or whose daemon, is
// killed with all of them, and told why; one that keeps within it is not.
func TestMemory(t *testing.T) {
	for who, text := range map[string]string{
		"itself": hungry,
		"child":  "(" + hungry + ") & exec sleep 1000",
		"daemon": "(setsid sh -c '" + hungry + "' &); exec sleep 1000",
	} {
		t.Run(who, func(t *testing.T) {
			limited(t, func(t *testing.T, h *runtime.Host, by runtime.Limiter) {
				other := script(t, h, actors.Limits{Memory: memoryLimit}, "exec sleep 1000")
				other.running(t)
				p := script(t, h, actors.Limits{Memory: memoryLimit}, text)
				pid := p.running(t).PID()
				r := receive(t, p.exited)
				var over *actors.MemoryError
				if r.Cause.Kind != actors.CauseMemory || !errors.As(r.Cause.Err, &over) || r.Exit.Signal != syscall.SIGKILL {
					t.Fatalf("%v, %v", r.Exit, r.Cause)
				}
				if over.PID != pid || over.Limit != memoryLimit || over.Used < memoryLimit*9/10 {
					t.Errorf("%+v of process %d", *over, pid)
				}
				if (over.Killed > 0) != (by == runtime.LimitCgroup) {
					t.Errorf("%v, by %v", over, by)
				}
				if len(other.exited) > 0 {
					t.Error("another has ended, too")
				}
			})
		})
	}
}

// A process starts no more others than it may, also as root, and another's are not
// counted.
func TestProcesses(t *testing.T) {
	limited(t, func(t *testing.T, h *runtime.Host, by runtime.Limiter) {
		if by != runtime.LimitCgroup {
			return // then it is RLIMIT_NPROC, which does not bind root
		}
		limits := actors.Limits{Processes: 5}
		const four = "for i in 1 2 3 4; do sleep 1000 & done; "
		crowd := script(t, h, limits, four+"wait")
		crowd.running(t)
		whole := script(t, h, limits, four+"kill %1 %2 %3 %4; exit 7")
		whole.running(t)
		if r := receive(t, whole.exited); r.Exit.Code != 7 {
			t.Errorf("as many as it may: %v", r.Exit)
		}
		more := script(t, h, limits, four+"sleep 1000 & exit 7")
		more.running(t)
		if r := receive(t, more.exited); r.Exit.Code == 7 {
			t.Error("one more than it may")
		}
	})
}

// What cannot be enforced is refused, by name.
func TestLimiterRefused(t *testing.T) {
	h, err := runtime.Start(runtime.Config{Containment: runtime.ContainGroup, Limiter: runtime.LimitWatch})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if inForce, why := h.Limiter(); inForce != runtime.LimitAuto || why == nil {
		t.Errorf("in force is %v, because: %v", inForce, why)
	}
	failed := make(chan error, 1)
	err = h.Actors().Start(&refusal{failed: failed}, func() (actors.Command, error) {
		return actors.Command{Path: "/bin/true", Limits: actors.Limits{Memory: memoryLimit}, Enclosed: true}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var limit *actors.LimitError
	if err := receive(t, failed); !errors.As(err, &limit) || limit.Limit != "Memory" || limit.Value != memoryLimit {
		t.Error(err)
	}

	t.Setenv("STINT_LIMITER", "magic")
	var start *runtime.StartError
	if _, err := runtime.Start(runtime.Config{}); !errors.As(err, &start) || start.What != "limiter" || !errors.Is(err, runtime.ErrUnknownLimiter) {
		t.Error(err)
	}
}

// refusal is told of a start that fails.
type refusal struct {
	lone
	failed chan error
}

func (r *refusal) StartFailed(err error) { r.failed <- err }

// The host is killed: the groups that held its workers are removed, too.
func TestLimiterOfKilledHost(t *testing.T) {
	leaktest.Check(t)
	h := start(t)
	if inForce, why := h.Limiter(); inForce != runtime.LimitCgroup {
		t.Skipf("not on this machine: %v", why)
	}
	cmd, out := helper(t, "bounded host", nil)
	if !out.Scan() {
		t.Fatal("the host says nothing")
	}
	pid, err := strconv.Atoi(out.Text())
	if err != nil {
		t.Fatal(err)
	}
	if len(groupsOf(t, cmd.Process.Pid)) == 0 {
		t.Error("it has no control groups")
	}
	killHost(t, cmd, []int{pid})
	eventually(t, "the groups' end", func() bool { return len(groupsOf(t, cmd.Process.Pid)) == 0 })
}

// shortOfMemory makes a control group that has little memory, for a program to be in. It
// returns where the kernel counts what it kills there.
func shortOfMemory(t *testing.T) (group, events string) {
	t.Helper()
	places, err := cgroup.Places(os.DirFS("/"), "memory")
	if err != nil || len(places) == 0 {
		t.Skipf("this machine has no control groups: %v", err)
	}
	p := places[0]
	for _, other := range places {
		if other.Version == 1 { // then it has the controller
			p = other
		}
	}
	directory, limits, events := "/"+p.Directory, map[string]string{"memory.limit_in_bytes": "134217728", "memory.swappiness": "0"}, "memory.oom_control"
	if p.Version == 2 {
		limits, events = map[string]string{"memory.max": "134217728"}, "memory.events"
		if p.Directory != p.Mount { // below a group with processes in it none can have the controller
			directory = filepath.Dir(directory)
		}
	}
	group, err = os.MkdirTemp(directory, "stintest-")
	if err != nil {
		t.Skipf("this user may not make control groups: %v", err)
	}
	t.Cleanup(func() { eventually(t, "the group's end", func() bool { return syscall.Rmdir(group) == nil }) })
	for file, value := range limits {
		if err := os.WriteFile(filepath.Join(group, file), []byte(value), 0); err != nil {
			t.Skipf("this machine limits no memory: %v", err)
		}
	}
	return group, filepath.Join(group, events)
}

// A process without limits that the kernel kills since its whole group is out of
// memory is told so; one that somebody else kills is not.
func TestOutOfMemory(t *testing.T) {
	leaktest.Check(t)
	group, events := shortOfMemory(t)
	cmd, out := helper(t, "short host", func(cmd *exec.Cmd) { cmd.Env = append(cmd.Env, "GROUP="+group) })
	for _, want := range []string{"<nil>", "*actors.OutOfMemoryError " + events + " 1"} {
		if !out.Scan() || out.Text() != want {
			t.Errorf("%q, want %q", out.Text(), want)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func init() {
	helpers["bounded host"] = func() {
		h, err := runtime.Start(runtime.Config{})
		if err != nil {
			panic(err)
		}
		p := script(panicky{}, h, actors.Limits{Memory: memoryLimit, Processes: 5}, "exec sleep 1000")
		fmt.Println(p.running(panicky{}).PID())
		select {}
	}
	helpers["short host"] = func() {
		if err := os.WriteFile(filepath.Join(os.Getenv("GROUP"), "cgroup.procs"), []byte("0"), 0); err != nil {
			panic(err)
		}
		h, err := runtime.Start(runtime.Config{})
		if err != nil {
			panic(err)
		}
		defer h.Close()
		p := script(panicky{}, h, actors.Limits{}, "exec sleep 1000")
		if err := syscall.Kill(p.running(panicky{}).PID(), syscall.SIGKILL); err != nil {
			panic(err)
		}
		r := <-p.exited
		fmt.Println(r.Cause.Err)
		r = <-script(panicky{}, h, actors.Limits{}, hungry).exited
		var short *actors.OutOfMemoryError
		if !errors.As(r.Cause.Err, &short) {
			panic(fmt.Sprintf("%v, %v", r.Exit, r.Cause))
		}
		fmt.Printf("%T %s %d\n", short, short.Source, short.Killed)
	}
}
