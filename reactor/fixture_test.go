package reactor_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor"
)

// patience bounds every wait of a test: long for a slow machine, and only a
// failing test waits for it.
const patience = 30 * time.Second

// backends are those that the suite runs over: all that this system has, or the
// one that STINT_REACTOR forces.
func backends() []reactor.Backend {
	switch {
	case os.Getenv("STINT_REACTOR") != "":
		return []reactor.Backend{reactor.BackendAuto}
	case runtime.GOOS == "linux":
		return []reactor.Backend{reactor.BackendPidfd, reactor.BackendPoll, reactor.BackendWaiter}
	}
	return []reactor.Backend{reactor.BackendPoll, reactor.BackendWaiter}
}

// overBackends runs test as a subtest over each back end.
func overBackends(t *testing.T, test func(t *testing.T, r *reactor.Reactor)) {
	for _, b := range backends() {
		t.Run(b.String(), func(t *testing.T) { test(t, open(t, b)) })
	}
}

func open(t testing.TB, b reactor.Backend) *reactor.Reactor {
	t.Helper()
	r, err := reactor.New(reactor.Config{Backend: b})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return r
}

// exitAtOnce spares the second that an exit takes with the race detector.
const exitAtOnce = "GORACE=atexit_sleep_ms=0"

// helper is the command of a re-executed test binary.
func helper(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), exitAtOnce, helperVariable+"="+name)
	return cmd
}

// child is a process that a test watches.
type child struct {
	*reactor.Watch
	t     testing.TB
	exits chan reactor.Exit // room for one more than may come
}

// watch starts cmd and watches it. Whatever happens to the test, the child is
// gone and was told of at most once when it is over.
func watch(t testing.TB, r *reactor.Reactor, cmd *exec.Cmd, opts ...reactor.Option) *child {
	t.Helper()
	p := start(t, cmd)
	c := watchProcess(t, r, p, opts...)
	if err := p.Release(); err != nil {
		t.Error(err)
	}
	return c
}

func watchProcess(t testing.TB, r *reactor.Reactor, p *os.Process, opts ...reactor.Option) *child {
	t.Helper()
	c := &child{t: t, exits: make(chan reactor.Exit, 2)}
	w, err := r.Watch(p, c.deliver, opts...)
	if err != nil {
		endProcess(t, p)
		t.Fatal(err)
	}
	c.Watch = w
	t.Cleanup(c.end)
	return c
}

func watchPID(t testing.TB, r *reactor.Reactor, pid int, opts ...reactor.Option) *child {
	t.Helper()
	c := &child{t: t, exits: make(chan reactor.Exit, 2)}
	w, err := r.WatchPID(pid, c.deliver, opts...)
	if err != nil {
		t.Fatal(err)
	}
	c.Watch = w
	t.Cleanup(func() { w.Stop() })
	return c
}

// devNull is opened before leaktest counts the descriptors.
var devNull, errDevNull = os.OpenFile(os.DevNull, os.O_RDWR, 0)

// start starts cmd by os.StartProcess, with its stdin and stdout if they are files.
func start(t testing.TB, cmd *exec.Cmd) *os.Process {
	t.Helper()
	if cmd.Err != nil {
		t.Fatal(cmd.Err)
	}
	if errDevNull != nil {
		t.Fatal(errDevNull)
	}
	file := func(x any) *os.File {
		if f, ok := x.(*os.File); ok {
			return f
		}
		return devNull
	}
	p, err := os.StartProcess(cmd.Path, cmd.Args, &os.ProcAttr{
		Dir:   cmd.Dir,
		Env:   cmd.Environ(),
		Files: []*os.File{file(cmd.Stdin), file(cmd.Stdout), os.Stderr},
		Sys:   cmd.SysProcAttr,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// endProcess kills a child that is not watched and reaps it.
func endProcess(t testing.TB, p *os.Process) {
	t.Helper()
	if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	if _, err := p.Wait(); err != nil {
		t.Error(err)
	}
}

func (c *child) deliver(e reactor.Exit) { c.exits <- e }

// exit waits for the exit.
func (c *child) exit() reactor.Exit {
	c.t.Helper()
	select {
	case e := <-c.exits:
		if e.PID != c.PID() {
			c.t.Errorf("the exit of process %d was delivered for %d", e.PID, c.PID())
		}
		if e.Time.IsZero() || time.Since(e.Time) < 0 {
			c.t.Errorf("the exit was noticed at %v", e.Time)
		}
		return e
	case <-time.After(patience):
		c.t.Fatalf("process %d: no exit after %v", c.PID(), patience)
		return reactor.Exit{}
	}
}

// expect waits for the exit and compares its description.
func (c *child) expect(want string) reactor.Exit {
	c.t.Helper()
	e := c.exit()
	if e.String() != want {
		c.t.Fatalf("process %d %v, want: %s", c.PID(), e, want)
	}
	return e
}

// quiet asserts that nothing is delivered for d.
func (c *child) quiet(d time.Duration) {
	c.t.Helper()
	select {
	case e := <-c.exits:
		c.t.Fatalf("process %d was told to have %v", c.PID(), e)
	case <-time.After(d):
	}
	if e, ok := c.Exited(); ok {
		c.t.Fatalf("process %d is said to have %v", c.PID(), e)
	}
}

// kill sends SIGKILL.
func (c *child) kill() {
	c.t.Helper()
	if err := c.Signal(syscall.SIGKILL); err != nil {
		c.t.Fatal(err)
	}
}

// end kills the child and waits until it is reaped.
func (c *child) end() {
	c.t.Helper()
	if err := c.Signal(syscall.SIGKILL); err == nil {
		eventually(c.t, "the child's end", func() bool { _, ok := c.Exited(); return ok })
	}
	if len(c.exits) > 1 {
		c.t.Errorf("process %d: the exit was delivered more than once", c.PID())
	}
}

// eventually waits for a condition that no event tells of.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// untilUndisturbed makes rounds of a test until one was not disturbed: such a one,
// by the test's own clock, decides nothing.
func untilUndisturbed(t testing.TB, round func() (undisturbed bool)) {
	t.Helper()
	for deadline := time.Now().Add(patience); !round(); {
		if time.Now().After(deadline) {
			t.Fatalf("every round in %v was disturbed", patience)
		}
	}
}

// tool returns the command of a program that every unix has.
func tool(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return exec.Command(path, args...)
}

// alone gives a test a process of its own, for what it does to the one that it
// runs in. It reports whether this is that process; in the other the test is done.
func alone(t *testing.T) bool {
	t.Helper()
	const variable = "STINT_REACTOR_TEST_ALONE"
	if os.Getenv(variable) == t.Name() {
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.v", "-test.count=1", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), exitAtOnce, variable+"="+t.Name())
	output, err := cmd.CombinedOutput()
	if err == nil && bytes.Contains(output, []byte("--- SKIP: "+t.Name())) {
		t.Skipf("in a process of its own:\n%s", output)
	}
	if err != nil || !bytes.Contains(output, []byte("--- PASS: "+t.Name())) {
		t.Errorf("in a process of its own: %v\n%s", err, output)
	}
	return false
}
