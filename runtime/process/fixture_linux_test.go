package process_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/process"
)

// patience bounds every wait of a test: only a failing one waits for it.
const patience = 30 * time.Second

// run starts a child of this program, which ends with the test at the latest.
func run(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	begin(t, cmd)
	return cmd
}

// begin starts cmd, the leader of a group, and ends all of that with the test.
func begin(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			_ = cmd.Wait()
		}
	})
}

// script is a shell that is talked with.
type script struct {
	t   testing.TB
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func shell(t testing.TB, text string) *script {
	t.Helper()
	s := &script{t: t, cmd: exec.Command("sh", "-c", text)}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewReader(out)
	begin(t, s.cmd)
	return s
}

func (s *script) hear() string {
	s.t.Helper()
	line, err := s.out.ReadString('\n')
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// hearPID finds the process whose pid the script prints.
func (s *script) hearPID() process.Process {
	s.t.Helper()
	pid, err := strconv.Atoi(s.hear())
	if err != nil {
		s.t.Fatal(err)
	}
	return find(s.t, pid)
}

func find(t testing.TB, pid int) process.Process {
	t.Helper()
	p, err := process.Find(pid)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// stranger is a process of which a shell is the parent, which is stopped and so
// reaps it when it is told to.
func stranger(t testing.TB, command string) (p process.Process, reap func()) {
	t.Helper()
	parent := shell(t, command+" & echo $!; kill -STOP $$; wait $!; echo reaped; read line")
	p = parent.hearPID()
	stat := fmt.Sprintf("/proc/%d/stat", parent.cmd.Process.Pid)
	eventually(t, "the parent's stop", func() bool {
		line, err := os.ReadFile(stat)
		return err == nil && strings.Contains(string(line), ") T ")
	})
	return p, func() {
		t.Helper()
		if err := parent.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if parent.hear() != "reaped" {
			t.Fatal("not reaped")
		}
	}
}

// eventually waits for a condition that no event tells of.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}
