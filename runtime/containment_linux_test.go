package runtime_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime"
)

// family is a contained process, a shell, and what it has started: a child in its group
// and a daemon, by two forks and in a session of its own, with an empty environment.
type family struct {
	*lone
	process *actors.Process
	in      *os.File
	child   int
	daemon  int
}

func (f *family) pids() []int { return []int{f.process.PID(), f.child, f.daemon} }

// settle starts a family. When it is told a word by in, its shell executes that.
func settle(t testing.TB, h *runtime.Host) *family {
	t.Helper()
	return settleAs(t, h, nil)
}

// settleAs starts a family of another user; nil: of this program's.
func settleAs(t testing.TB, h *runtime.Host, user *actors.User) *family {
	t.Helper()
	f := &family{lone: &lone{started: make(chan *actors.Process, 1), exited: make(chan actors.Report, 1)}}
	stdin, in := pipe(t)
	out, stdout := pipe(t)
	defer out.Close()
	f.in = in
	t.Cleanup(func() { in.Close() })
	const script = `read go; sleep 1000 >/dev/null & echo $!
		(setsid env -i sh -c 'echo $$; exec sleep 1000 >/dev/null' &)
		exec >/dev/null; read word; eval $word`
	err := h.Actors().Start(f, func() (actors.Command, error) {
		return actors.Command{
			Name: "family", Path: "/bin/sh", Args: []string{"sh", "-c", script}, Files: []*os.File{stdin, stdout}, Enclosed: true,
			Privileges: actors.Privileges{User: user},
		}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if f.process = <-f.started; f.process == nil {
		t.Fatal("not started")
	}
	fmt.Fprintln(in, "go")
	lines := bufio.NewScanner(out)
	for _, pid := range []*int{&f.child, &f.daemon} {
		if !lines.Scan() {
			t.Fatal("no pid was told")
		}
		if *pid, err = strconv.Atoi(lines.Text()); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func pipe(t testing.TB) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

// state returns the kernel's letter for what a process does; 0: there is none.
func state(pid int) byte {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if _, after, ok := bytes.Cut(line, []byte(") ")); err == nil && ok {
		return after[0]
	}
	return 0
}

// lives reports whether a process has not ended. A zombie has.
func lives(pid int) bool { s := state(pid); return s != 0 && s != 'Z' && s != 'X' }

// eventually waits for a condition that no event tells of.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// contained starts a host for each containment that this machine has.
func contained(t *testing.T, test func(t *testing.T, h *runtime.Host)) {
	for _, c := range []runtime.Containment{runtime.ContainCgroup, runtime.ContainMark} {
		t.Run(c.String(), func(t *testing.T) {
			leaktest.Check(t)
			h, err := runtime.Start(runtime.Config{Containment: c, Logger: slog.New(slog.DiscardHandler)})
			if impossible := (*runtime.ContainmentError)(nil); errors.As(err, &impossible) {
				t.Skipf("not on this machine: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := h.Close(); err != nil {
					t.Error(err)
				}
			})
			if inForce, why := h.Containment(); inForce != c || why != nil {
				t.Errorf("%v is in force, because: %v", inForce, why)
			}
			test(t, h)
		})
	}
}

// However a process ends, all that it has started ends with it, also what left its
// group; and nothing of another's does.
func TestTreeEnds(t *testing.T) {
	for how, end := range map[string]func(f *family){
		"killed":             func(f *family) { f.process.Kill(actors.Ladder{}, actors.Cause{}) },
		"by itself":          func(f *family) { fmt.Fprintln(f.in, "exit 0") },
		"by its own signal":  func(f *family) { fmt.Fprintln(f.in, "kill -KILL $$") },
		"to tell its stacks": func(f *family) { f.process.Dump() },
		"stopped and killed": func(f *family) {
			_ = f.process.SignalGroup(syscall.SIGSTOP)
			_ = syscall.Kill(f.daemon, syscall.SIGSTOP)
			f.process.Kill(actors.Ladder{}, actors.Cause{})
		},
	} {
		t.Run(how, func(t *testing.T) {
			contained(t, func(t *testing.T, h *runtime.Host) {
				f, other := settle(t, h), settle(t, h)
				end(f)
				<-f.exited
				for _, pid := range f.pids() {
					eventually(t, "its end", func() bool { return !lives(pid) })
				}
				for _, pid := range other.pids() {
					if !lives(pid) {
						t.Errorf("%d, which belongs to another, has ended, too", pid)
					}
				}
			})
		})
	}
}

// So it is with what runs as another user, of whom this program may not even be allowed
// to ask the limits, by prlimit(2).
func TestTreeOfAnotherUserEnds(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root runs anything as another user")
	}
	contained(t, func(t *testing.T, h *runtime.Host) {
		f := settleAs(t, h, &actors.User{UID: 12345, GID: 12345})
		f.process.Kill(actors.Ladder{}, actors.Cause{})
		<-f.exited
		for _, pid := range f.pids() {
			eventually(t, "its end", func() bool { return !lives(pid) })
		}
	})
}

// When a host is closed nothing is left when Close returns.
func TestTreeEndsWithHost(t *testing.T) {
	contained(t, func(t *testing.T, h *runtime.Host) {
		f := settle(t, h)
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		for _, pid := range f.pids() {
			if lives(pid) {
				t.Errorf("%d lives", pid)
			}
		}
	})
}

// A worker dies while there are no descriptors, and the host is closed then: its
// daemon ends all the same.
func TestTreeEndsWithoutDescriptors(t *testing.T) {
	contained(t, func(t *testing.T, h *runtime.Host) {
		f := settle(t, h)
		release := exhaust(t)
		f.process.Kill(actors.Ladder{}, actors.Cause{})
		<-f.exited
		err := h.Close()
		release()
		if err != nil {
			t.Error(err)
		}
		for _, pid := range f.pids() {
			if lives(pid) {
				t.Errorf("%d lives", pid)
			}
		}
	})
}

// exhaust takes all descriptors that there are.
func exhaust(t *testing.T) (release func()) {
	t.Helper()
	var whole unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &whole); err != nil {
		t.Fatal(err)
	}
	few := whole
	few.Cur = 256
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	var taken []int
	for {
		fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			break
		}
		taken = append(taken, fd)
	}
	return func() {
		for _, fd := range taken {
			_ = unix.Close(fd)
		}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &whole); err != nil {
			t.Fatal(err)
		}
	}
}

// helper starts this binary as a helper, and returns its standard output.
func helper(t *testing.T, name string, change func(*exec.Cmd)) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helperKey+"="+name)
	cmd.Stderr = os.Stderr
	if change != nil {
		change(cmd)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, bufio.NewScanner(out)
}

// A containment that is demanded and cannot be had is an error of Start; what is
// had in its place is told, with the reason.
func TestContainmentRefused(t *testing.T) {
	for name, want := range map[string]string{"without rights": "cgroup mark", "without marks": "mark cgroup group"} {
		t.Run(name, func(t *testing.T) {
			_, out := helper(t, name, func(cmd *exec.Cmd) {
				if name == "without rights" && os.Getuid() == 0 {
					cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
				}
			})
			if !out.Scan() || !strings.HasPrefix(out.Text(), want[:strings.IndexByte(want, ' ')]+": ") {
				if name == "without rights" && os.Getuid() != 0 && out.Text() == "<nil>: <nil>" {
					t.Skip("this user may make control groups, and can become nobody else")
				}
				t.Fatalf("%q", out.Text())
			}
			if !out.Scan() || out.Text() == "" || !strings.Contains(want[strings.IndexByte(want, ' '):], out.Text()) {
				t.Fatalf("%q", out.Text())
			}
		})
	}
}

func init() {
	helpers["without rights"] = func() { refused(runtime.ContainCgroup) }
	helpers["without marks"] = func() {
		if err := unix.Setrlimit(unix.RLIMIT_LOCKS, &unix.Rlimit{Cur: 1000, Max: 1000}); err != nil {
			panic(err)
		}
		refused(runtime.ContainMark)
	}
	helpers["host"] = func() {
		for _, c := range []runtime.Containment{runtime.ContainCgroup, runtime.ContainMark} {
			if c.String() == os.Getenv("CONTAINMENT") {
				guarded(c)
			}
		}
	}
}

// refused tells of a containment that is demanded, and of what there is else.
func refused(c runtime.Containment) {
	quiet := slog.New(slog.DiscardHandler)
	_, err := runtime.Start(runtime.Config{Containment: c, Logger: quiet})
	var start *runtime.StartError
	var impossible *runtime.ContainmentError
	if !errors.As(err, &start) || !errors.As(err, &impossible) || start.What != "containment" || impossible.Containment != c {
		fmt.Printf("%T: %v\n", err, err)
		return
	}
	fmt.Printf("%v: %v\n", impossible.Containment, err)
	h, err := runtime.Start(runtime.Config{Logger: quiet})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	inForce, why := h.Containment()
	if inForce != runtime.ContainCgroup && why == nil {
		panic("no reason is told")
	}
	fmt.Println(inForce)
}

// guarded is a host with a family, which tells its pids and stays.
func guarded(c runtime.Containment) {
	h, err := runtime.Start(runtime.Config{Containment: c, NoGuard: os.Getenv("GUARD") == "no"})
	if err != nil {
		panic(err)
	}
	f := settle(panicky{}, h)
	if os.Getenv("STOPPED") != "" {
		_ = f.process.SignalGroup(syscall.SIGSTOP)
		_ = syscall.Kill(f.daemon, syscall.SIGSTOP)
	}
	fmt.Println(f.process.PID(), f.child, f.daemon)
	select {}
}

// panicky is a test's part in a helper.
type panicky struct{ testing.TB }

func (panicky) Helper()           {}
func (panicky) Cleanup(func())    {}
func (panicky) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// guards returns the guards of a host.
func guards(t testing.TB, host int) (pids []int) {
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
		arguments, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		stat, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		_, after, _ := bytes.Cut(stat, []byte(") "))
		fields := bytes.Fields(after)
		if bytes.Contains(arguments, []byte("stint-guard")) && len(fields) > 1 && string(fields[1]) == strconv.Itoa(host) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// guardOf returns a host's guard, which is known by its arguments: it has these a moment
// after it has been started.
func guardOf(t testing.TB, host *exec.Cmd) int {
	t.Helper()
	var pids []int
	eventually(t, "there is one guard", func() bool { pids = guards(t, host.Process.Pid); return len(pids) == 1 })
	return pids[0]
}

// beginHost starts a host that is to be killed. It skips a containment that the
// machine does not have.
func beginHost(t *testing.T, c runtime.Containment, env ...string) (cmd *exec.Cmd, pids []int) {
	t.Helper()
	h, err := runtime.Start(runtime.Config{Containment: c})
	if impossible := (*runtime.ContainmentError)(nil); errors.As(err, &impossible) {
		t.Skipf("not on this machine: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	cmd, out := helper(t, "host", func(cmd *exec.Cmd) {
		cmd.Env = append(append(cmd.Env, "CONTAINMENT="+c.String()), env...)
	})
	pids = make([]int, 3)
	if !out.Scan() {
		t.Fatal("the host says nothing")
	}
	if _, err := fmt.Sscan(out.Text(), &pids[0], &pids[1], &pids[2]); err != nil {
		t.Fatal(err)
	}
	return cmd, pids
}

// killHost kills a host, and checks that all of its family are gone 2 s later.
func killHost(t *testing.T, cmd *exec.Cmd, pids []int) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	_ = cmd.Wait() // an error: it was killed
	for _, pid := range pids {
		eventually(t, "the family's end", func() bool { return !lives(pid) })
	}
	took := time.Since(killed)
	t.Logf("all gone after %v", took)
	if took > 2*time.Second {
		t.Errorf("gone only %v after the host", took)
	}
}

// guardedHosts starts a host and its guard for each containment, with a family that is
// stopped, and with one that is not.
func guardedHosts(t *testing.T, test func(t *testing.T, host *exec.Cmd, pids []int, guard int)) {
	for _, c := range []runtime.Containment{runtime.ContainCgroup, runtime.ContainMark} {
		for _, stopped := range []string{"", "yes"} {
			t.Run(fmt.Sprintf("%v, family stopped: %q", c, stopped), func(t *testing.T) {
				leaktest.Check(t)
				host, pids := beginHost(t, c, "STOPPED="+stopped)
				test(t, host, pids, guardOf(t, host))
			})
		}
	}
}

// A host that is SIGKILLed leaves nothing, be it stopped or a daemon; and its guard
// goes, too.
func TestGuard(t *testing.T) {
	guardedHosts(t, func(t *testing.T, host *exec.Cmd, pids []int, guard int) {
		killHost(t, host, append(pids, guard))
	})
}

// A guard that is killed is started again.
func TestGuardKilled(t *testing.T) {
	leaktest.Check(t)
	cmd, pids := beginHost(t, runtime.ContainMark)
	for range 2 {
		old := guardOf(t, cmd)
		if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "another guard", func() bool {
			now := guards(t, cmd.Process.Pid)
			return len(now) == 1 && now[0] != old
		})
	}
	killHost(t, cmd, pids)
}

// A guard that is stopped when its host is killed does its duty nevertheless: the
// kernel continues it.
func TestGuardStopped(t *testing.T) {
	guardedHosts(t, func(t *testing.T, host *exec.Cmd, pids []int, guard int) {
		if err := syscall.Kill(guard, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it to stop", func() bool { return state(guard) == 'T' })
		killHost(t, host, append(pids, guard))
	})
}

// A guard heeds no signal of a terminal or an operator but SIGKILL.
func TestGuardStands(t *testing.T) {
	leaktest.Check(t)
	cmd, pids := beginHost(t, runtime.ContainMark)
	guard := guardOf(t, cmd)
	eventually(t, "it to stand", func() bool { return ignores(guard, syscall.SIGTERM) })
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT} {
		if err := syscall.Kill(guard, s); err != nil {
			t.Fatal(err)
		}
	}
	killHost(t, cmd, pids)
}

// ignores reports whether a process ignores a signal.
func ignores(pid int, s syscall.Signal) bool {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, _ := strings.Cut(string(text), "SigIgn:")
	line, _, _ := strings.Cut(after, "\n")
	mask, err := strconv.ParseUint(strings.TrimSpace(line), 16, 64)
	return err == nil && mask>>(s-1)&1 == 1
}

// The guard can be left out; then a daemon outlives its killed host.
func TestNoGuard(t *testing.T) {
	cmd, pids := beginHost(t, runtime.ContainMark, "GUARD=no")
	if guard := guards(t, cmd.Process.Pid); len(guard) != 0 {
		t.Errorf("guards: %v", guard)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	eventually(t, "the worker's end", func() bool { return !lives(pids[0]) })
	for _, pid := range pids[1:] {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Errorf("%d: %v", pid, err)
		}
	}
	eventually(t, "the daemon's end", func() bool { return !lives(pids[2]) })
}

// What is no guard's duty does not make a program a guard in silence.
func TestGuardByMistake(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "STINT_GUARD=yes")
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 97 || !strings.Contains(string(out), "unset it") {
		t.Errorf("%v, %s", err, out)
	}
}

func TestContainmentVariable(t *testing.T) {
	t.Setenv("STINT_CONTAINMENT", "group")
	h := start(t)
	if inForce, why := h.Containment(); inForce != runtime.ContainGroup || why != nil {
		t.Errorf("%v, %v", inForce, why)
	}
	t.Setenv("STINT_CONTAINMENT", "jail")
	if h, err := runtime.Start(runtime.Config{}); !errors.Is(err, runtime.ErrUnknownContainment) {
		t.Errorf("%v, %v", h, err)
	}
	if h, err := runtime.Start(runtime.Config{Containment: 99}); !errors.Is(err, runtime.ErrUnknownContainment) {
		t.Errorf("%v, %v", h, err)
	}
}
