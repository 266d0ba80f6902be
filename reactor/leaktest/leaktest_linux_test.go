package leaktest

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func init() {
	helpers["idle"] = idle
	helpers["start an orphan"] = func() int { return startOrphan() }

	leak("descriptor", func() int { return dup(0) })
	leak("child", func() int { return start(exec.Command("cat")) })
	leak("goroutine that waits for a child", leaveWaiting)
	leak("zombie", leaveZombie)
	leak("orphan of this binary", func() int { return runOrphanStarter() })
	leak("daemon", func() int { return finish(exec.Command("sh", "-c", "exec 3<&0; setsid cat <&3 >/dev/null 2>&1 &")) })
	leak("shared memory", func() int { return leaveSharedMemory("") })
	leak("mapping", leaveMapping)
	leak("own shared memory", func() int { return leaveSharedMemory(fmt.Sprint(os.Getpid(), "-")) })
	leak("another run's shared memory", func() int { return leaveSharedMemory(fmt.Sprint(os.Getppid(), "-")) })
}

// sharedMemoryVariable has this test's helpers leave and find shared memory in a place of
// their own: tests of other packages, which would find it, too, run beside them.
const sharedMemoryVariable = "LEAKTEST_SHARED_MEMORY"

func init() { sharedMemory = cmp.Or(os.Getenv(sharedMemoryVariable), sharedMemory) }

func TestRunOnLinux(t *testing.T) {
	shared := t.TempDir()
	t.Setenv(sharedMemoryVariable, shared)
	verdicts(t, []verdict{
		{helper: "descriptor", code: 1, report: []string{"fd ", "pipe:["}},
		{helper: "child", code: 1, report: []string{"process ", "state S", ": cat"}},
		{helper: "goroutine that waits for a child", code: 1, report: []string{": cat", "os.(*Process).Wait"}},
		{helper: "zombie", code: 1, report: []string{"zombie", "(true)"}},
		{helper: "orphan of this binary", code: 1, report: []string{"process ", "leaktest.test"}},
		{helper: "daemon", code: 1, report: []string{"process ", ": cat"}},
		{helper: "shared memory", code: 1, report: []string{"file " + shared + "/stint-"}},
		{helper: "mapping", code: 1, report: []string{"mapping ", "/memfd:stint-leaktest"}},
		{helper: "own shared memory", code: 1, report: []string{"file " + shared + "/stint-"}},
		{helper: "another run's shared memory"},
	})
}

func dup(fd int) int {
	if _, err := syscall.Dup(fd); err != nil {
		return 2
	}
	return 0
}

// start leaves cmd running. Releasing it drops the descriptor that refers to
// it, so that the process alone is left.
func start(cmd *exec.Cmd) int {
	cmd.Stdin = os.Stdin
	if cmd.Start() != nil || cmd.Process.Release() != nil {
		return 2
	}
	return 0
}

func finish(cmd *exec.Cmd) int {
	cmd.Stdin = os.Stdin
	if cmd.Run() != nil {
		return 2
	}
	return 0
}

func leaveWaiting() int {
	cmd := exec.Command("cat")
	cmd.Stdin = os.Stdin
	if cmd.Start() != nil {
		return 2
	}
	go func() { _, _ = cmd.Process.Wait() }()
	return 0
}

// leaveZombie returns once its child has ended, and does not reap it.
func leaveZombie() int {
	cmd := exec.Command("true")
	if start(cmd) != 0 {
		return 2
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		for _, p := range processes() {
			if p.parent == os.Getpid() && p.state == "Z" {
				return 0
			}
		}
	}
	return 2
}

// runOrphanStarter leaves a process of this binary that nothing ties to this
// one: not its parent, its session or its environment.
func runOrphanStarter() int {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperVariable+"=start an orphan")
	return finish(cmd)
}

func startOrphan() int {
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{helperVariable + "=idle"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return start(cmd)
}

// sharedMemoryTag tells this test's objects from all others.
const sharedMemoryTag = "leaktest"

func leaveSharedMemory(owner string) int {
	return create(sharedMemory, prefix+owner+sharedMemoryTag)
}

// leaveMapping leaves shared memory mapped, and its descriptor closed.
func leaveMapping() int {
	fd, err := unix.MemfdCreate(prefix+sharedMemoryTag, unix.MFD_CLOEXEC)
	if err != nil || unix.Ftruncate(fd, 4096) != nil {
		return 2
	}
	if _, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ, unix.MAP_SHARED); err != nil || unix.Close(fd) != nil {
		return 2
	}
	return 0
}

// TestMarkedInExecve: the mark is seen at every moment, also on a process that does
// nothing but execve, with a long environment before the mark.
func TestMarkedInExecve(t *testing.T) {
	script := filepath.Join(t.TempDir(), "again")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nexec \"$0\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(script)
	for n := range 40 { // the shell passes them on in an order of its own
		cmd.Env = append(cmd.Env, fmt.Sprintf("PADDING%d=%s", n, strings.Repeat(".", 100)))
	}
	cmd.Env = append(cmd.Env, markVariable+"="+mark())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
	for n := range 3000 {
		if p, ok := readProcess(cmd.Process.Pid); !ok || !p.marked() {
			environ, err := p.environment()
			t.Fatalf("look %d: not marked; a moment later its environment is %q, %v", n, environ, err)
		}
	}
}

func TestReadProcess(t *testing.T) {
	p, ok := readProcess(os.Getpid())
	if !ok || p.parent != os.Getppid() || p.name == "" {
		t.Errorf("read of ourselves: %+v, %v", p, ok)
	}
	if _, ok := readProcess(1 << 30); ok {
		t.Error("a process was read that cannot be")
	}
}

func TestLeakErrorIsFound(t *testing.T) {
	before := Take()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	err = before.Wait(0)
	_ = r.Close()
	_ = w.Close()
	leaks := (*LeakError)(nil)
	if !errors.As(err, &leaks) || len(leaks.Leaks) != 2 {
		t.Fatalf("two descriptors are open: %v", err)
	}
	if err := before.Wait(0); err != nil {
		t.Errorf("they are closed: %v", err)
	}
}
