package pool

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestProcessorTime: what is told of a process is its own use of the processors, also when
// it has ended and was not reaped; afterwards nothing is, and nothing of another.
func TestProcessorTime(t *testing.T) {
	if err := processorTimeTold(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if own, err := processorTime(os.Getpid()); err != nil || own <= 0 {
		t.Errorf("this program: %v, %v", own, err)
	}
	cmd := exec.Command("sh", "-c", "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; read line; exit 0")
	ends, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	ends.Close()
	for state := ""; state != "Z"; time.Sleep(time.Millisecond) {
		data, err := os.ReadFile(strings.Replace(memoryFile(pid), "statm", "stat", 1))
		if err != nil || time.Since(begun) > 20*time.Second {
			t.Fatalf("it does not end: %q, %v", data, err)
		}
		_, rest, _ := strings.Cut(string(data), ") ")
		state = rest[:1]
	}
	zombie, err := processorTime(pid)
	if err != nil {
		t.Errorf("a zombie: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if d := (zombie - used).Abs(); zombie < time.Millisecond || d > 20*time.Millisecond {
		t.Errorf("the clock tells %v, the exit %v", zombie, used)
	}
	if gone, err := processorTime(pid); !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ESRCH) {
		t.Errorf("one that is gone: %v, %v", gone, err)
	}
}

// confinedVariable is set for this binary where it is to say what it knows of processors.
const confinedVariable = "POOL_TEST_CONFINED"

func init() {
	if os.Getenv(confinedVariable) != "" {
		fmt.Println(int(processors()), "of which its own are", runtime.NumCPU())
		os.Exit(0)
	}
}

// SEC-15: all processors of the machine count, also those that this program may not use now.
func TestProcessors(t *testing.T) {
	online, err := exec.Command("getconf", "_NPROCESSORS_ONLN").Output()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("taskset", "-c", "0", os.Args[0])
	cmd.Env = append(os.Environ(), confinedVariable+"=1")
	cmd.Stderr = os.Stderr
	got, err := cmd.Output()
	if want := strings.TrimSpace(string(online)) + " of which its own are 1\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

// SEC-15: a process cannot hide what it uses by ending its first thread: of its memory the
// kernel tells nothing then, which is an error, and of its processor time as before.
func TestHiddenProcess(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "POOL_TEST_PROGRAM=without its first thread")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	begun := time.Now()
	for {
		has, err := residentMemory(cmd.Process.Pid)
		if errors.Is(err, errNothingResident) {
			break
		}
		if err != nil || time.Since(begun) > 20*time.Second {
			t.Fatalf("%d bytes, %v", has, err)
		}
		time.Sleep(time.Millisecond)
	}
	before, err := processorTime(cmd.Process.Pid)
	for after := before; after <= before; time.Sleep(time.Millisecond) { // its loop goes on
		if err != nil || time.Since(begun) > 20*time.Second {
			t.Fatalf("%v, %v", after, err)
		}
		after, err = processorTime(cmd.Process.Pid)
	}
}

func BenchmarkLook(b *testing.B) {
	b.Run("processor time", func(b *testing.B) {
		for b.Loop() {
			_, _ = processorTime(os.Getpid())
		}
	})
	b.Run("memory", func(b *testing.B) {
		for b.Loop() {
			_, _ = residentMemory(os.Getpid())
		}
	})
}
