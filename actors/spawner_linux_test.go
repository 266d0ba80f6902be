package actors_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

func init() { helpers["host"] = host }

// otherUser is one that a process may run as; nil: there is none.
var otherUser *actors.User

// host supervises ten processes, of which some run as another user if it may start
// such, prints their pids and stays.
func host() {
	r, err := reactor.New(reactor.Config{})
	if err != nil {
		panic(err)
	}
	s, err := actors.NewSystem(r, actors.Config{})
	if err != nil {
		panic(err)
	}
	n := 0
	_, err = s.Supervise(actors.Supervision{
		Name: "sleepers", Workers: 10,
		Prepare: func() (actors.Command, actors.Owner, error) {
			w, command := newWorker(), sleeper()
			w.onStarted = func(p *actors.Process) { fmt.Println(p.PID()) }
			if n++; n > 5 {
				command.Privileges.User = otherUser
			}
			return command, w, nil
		},
	})
	if err != nil {
		panic(err)
	}
	select {}
}

// LK-6: a host that is SIGKILLed leaves no child.
func TestKilledHost(t *testing.T) {
	command := exec.Command(os.Args[0])
	command.Env = helperEnv("host")
	command.Stderr = os.Stderr
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for range 10 {
		var pid int
		if _, err := fmt.Fscan(stdout, &pid); err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // an error: it was killed
	for _, pid := range pids {
		eventually(t, "the children are gone", func() bool { return !runs(pid) })
	}
}

// The parent-death signal is tied to the thread that forked: children must
// outlive all threads but the spawner's.
func TestThreadsThatEnd(t *testing.T) {
	w := newWorker()
	v := single(t, newSystem(t), w, sleeper())
	p := receive(t, w.started)
	for range 50 {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			runtime.LockOSThread() // and the thread ends with the goroutine
		}()
		<-ended
	}
	stillRuns(t, w, p, 50*time.Millisecond)
	v.Stop(actors.Ladder{}, actors.Cause{})
	receive(t, w.exited)
}

// PY-P-10, SEC-1: only the files that were listed arrive, also while others
// start and a descriptor here is not CLOEXEC.
func TestOnlyListedFiles(t *testing.T) {
	foreign, err := syscall.Open("/etc/passwd", syscall.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(foreign)

	s := newSystem(t)
	workers := make([]*worker, 50)
	for i := range workers {
		workers[i] = newWorker()
		command := sleeper()
		command.Files = []*os.File{nil, devNull(t), devNull(t), nil, devNull(t)}
		single(t, s, workers[i], command)
	}
	for _, w := range workers {
		p := receive(t, w.started)
		// The program's loader may have more open, for a moment.
		eventually(t, "descriptors 1, 2 and 4 and no others are open", func() bool {
			return slices.Equal(descriptors(t, p.PID()), []string{"1", "2", "4"})
		})
	}
}

func devNull(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func descriptors(t *testing.T, pid int) (fds []string) {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		fds = append(fds, e.Name())
	}
	return fds
}
