//go:build unix

package actors_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

// ER-2: what is left of the group goes with its leader, however that ends.
func TestGroup(t *testing.T) {
	for name, end := range map[string]struct {
		script string
		ladder actors.Ladder // zero for a script that ends by itself
		exit   reactor.Exit
	}{
		"TERM": {"sleep 1000 & echo $!; wait", actors.Ladder{Term: true, Grace: time.Hour}, reactor.Exit{Kind: reactor.Signalled, Signal: syscall.SIGTERM}},
		"exit": {"sleep 1000 & echo $!; exit 5", actors.Ladder{}, reactor.Exit{Kind: reactor.Exited, Code: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorker()
			command, out := shell(t, end.script)
			single(t, newSystem(t), w, command)
			p := receive(t, w.started)
			grandchild := out.pid()
			if end.ladder != (actors.Ladder{}) {
				p.Kill(end.ladder, deadline)
			}
			r := receive(t, w.exited)
			if r.Exit.Kind != end.exit.Kind || r.Exit.Code != end.exit.Code || r.Exit.Signal != end.exit.Signal {
				t.Error(r.Exit)
			}
			eventually(t, "the grandchild is gone", func() bool { return !runs(grandchild) })
		})
	}
}

// deserter is a program that leaves its group for its parent's.
func init() { helpers["deserter"] = deserter }

func deserter() {
	group, err := syscall.Getpgid(os.Getppid())
	if err != nil {
		panic(err)
	}
	if err := syscall.Setpgid(0, group); err != nil {
		panic(err)
	}
	fmt.Println("gone")
	select {}
}

// A process that has left its group is reached all the same.
func TestDeserter(t *testing.T) {
	for sig, ladder := range map[syscall.Signal]actors.Ladder{
		syscall.SIGKILL: {},
		syscall.SIGTERM: {Term: true, Grace: time.Hour},
	} {
		t.Run(sig.String(), func(t *testing.T) {
			w := newWorker()
			command, out := shell(t, "")
			command.Path, command.Args, command.Env = os.Args[0], nil, helperEnv("deserter")
			single(t, newSystem(t), w, command)
			p := receive(t, w.started)
			if got := out.line(); got != "gone" {
				t.Fatal(got)
			}
			p.Kill(ladder, deadline)
			diedOf(t, receive(t, w.exited), sig, actors.CauseDeadline)
		})
	}
}

// One that has left its group before it could be watched is started all the same, and
// killed with its group if it is not to be.
func TestEarlyDeserter(t *testing.T) {
	command, out := shell(t, "")
	command.Path, command.Args, command.Env = os.Args[0], nil, helperEnv("deserter")
	refused := errors.New("refused")
	f, w := newFence(), newWorker()
	var verdict error
	f.onStarted = func(int) error {
		if got := out.line(); got != "gone" {
			t.Error(got)
		}
		return verdict
	}
	s := fenced(t, f, nil)
	single(t, s, w, enclosed(command))
	receive(t, w.started).Kill(actors.Ladder{}, deadline)
	diedOf(t, receive(t, w.exited), syscall.SIGKILL, actors.CauseDeadline)
	receive(t, f.over)()

	command, out = shell(t, "")
	command.Path, command.Args, command.Env = os.Args[0], nil, helperEnv("deserter")
	verdict = refused
	single(t, s, w, enclosed(command))
	if err := receive(t, w.failed); !errors.Is(err, refused) {
		t.Error(err)
	}
	receive(t, f.over)()
}

// tree is a program that starts itself twice, to the depth in its environment,
// and lives until it is killed. Each process writes a line.
func init() { helpers["tree"] = tree }

func tree() {
	depth, err := strconv.Atoi(os.Getenv("STINT_ACTORS_TEST_DEPTH"))
	if err != nil {
		panic(err)
	}
	for range 2 {
		if depth == 0 {
			break
		}
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), fmt.Sprint("STINT_ACTORS_TEST_DEPTH=", depth-1))
		c.Stdout, c.Stderr = os.Stdout, os.Stderr
		if err := c.Start(); err != nil {
			panic(err)
		}
	}
	fmt.Println(os.Getpid())
	select {}
}

// MT-2: a tree of 31 processes is killed with its root.
func TestTree(t *testing.T) {
	w := newWorker()
	command, out := shell(t, "")
	command.Path, command.Args = os.Args[0], nil
	command.Env = append(helperEnv("tree"), "STINT_ACTORS_TEST_DEPTH=4")
	single(t, newSystem(t), w, command)
	p := receive(t, w.started)
	pids := make([]int, 31)
	for i := range pids {
		pids[i] = out.pid()
	}
	p.Kill(actors.Ladder{}, deadline)
	diedOf(t, receive(t, w.exited), syscall.SIGKILL, actors.CauseDeadline)
	out.rest() // ends when the last of them has
	for _, pid := range pids {
		eventually(t, "the whole tree is gone", func() bool { return !runs(pid) })
	}
}
