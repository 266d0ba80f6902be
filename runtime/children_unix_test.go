//go:build unix

package runtime_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime"
)

func init() { helpers["orphan"] = orphan }

func start(t *testing.T) *runtime.Host {
	t.Helper()
	h, err := runtime.Start(runtime.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// lone is the owner of one process.
type lone struct {
	started chan *actors.Process
	exited  chan actors.Report
	refused error // why it was not started; before started is closed
}

func (l *lone) Started(p *actors.Process)    { l.started <- p }
func (l *lone) Ask(actors.Cause)             {}
func (l *lone) Spared()                      {}
func (l *lone) Exited(r actors.Report) error { l.exited <- r; return nil }

func (l *lone) StartFailed(err error) {
	l.refused = err
	close(l.started)
}

// begin starts a shell and waits until it runs its script.
func begin(t *testing.T, h *runtime.Host, name, script string) *lone {
	t.Helper()
	ready, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer ready.Close()
	l := &lone{started: make(chan *actors.Process, 1), exited: make(chan actors.Report, 1)}
	err = h.Actors().Start(l, func() (actors.Command, error) {
		return actors.Command{
			Name: name, Path: "/bin/sh", Args: []string{"sh", "-c", script}, Files: []*os.File{nil, w, os.NewFile(uintptr(must(syscall.Dup(2))), "stderr")},
		}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(ready).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return l
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestChildren(t *testing.T) {
	leaktest.Check(t)
	h := start(t)
	before := time.Now()
	if children := h.Children(); len(children) != 0 {
		t.Errorf("at first: %+v", children)
	}
	t.Run("PY-P-2 listed as long as it lives", func(t *testing.T) {
		first := begin(t, h, "first", "echo; exec sleep 1000")
		p := receive(t, first.started)
		receive(t, begin(t, h, "", "echo; exec sleep 1000").started)
		children := h.Children()
		if len(children) != 2 || children[0].Name != "first" || children[1].Name != "/bin/sh" || children[0].PID != p.PID() {
			t.Fatalf("%+v", children)
		}
		if c := children[0]; c.State != actors.Ready || c.Since.Before(before) || c.Since.After(time.Now()) {
			t.Errorf("%+v", c)
		}
		p.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseKill})
		if r := receive(t, first.exited); r.Exit.Kind != reactor.Signalled {
			t.Errorf("%+v", r)
		}
		if children := h.Children(); len(children) != 1 || children[0].Name != "/bin/sh" {
			t.Errorf("after the end of one: %+v", children)
		}
	})
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if children := h.Children(); len(children) != 0 {
		t.Errorf("closed: %+v", children)
	}
}

func TestShutdown(t *testing.T) {
	leaktest.Check(t)
	t.Run("all end when they are asked", func(t *testing.T) {
		h := start(t)
		l := begin(t, h, "polite", "trap 'exit 7' TERM; echo; sleep 1000 & wait")
		if err := h.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if r := receive(t, l.exited); r.Exit.Code != 7 || r.Cause.Kind != actors.CauseShutdown {
			t.Errorf("%+v", r)
		}
		if !closed(h) {
			t.Error("it works although it is closed")
		}
	})
	t.Run("one that does not is killed when the context ends", func(t *testing.T) {
		h := start(t)
		l := begin(t, h, "deaf", "trap '' TERM; echo; sleep 1000 & wait")
		receive(t, l.started) // what runs may not be known as started yet
		why := errors.New("no more time")
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
		err := h.Shutdown(ctx)
		var shutdown *actors.ShutdownError
		if !errors.Is(err, why) || !errors.As(err, &shutdown) || shutdown.Killed != 1 {
			t.Errorf("%v", err)
		}
		if r := receive(t, l.exited); r.Exit.Signal != syscall.SIGKILL {
			t.Errorf("%+v", r)
		}
		if err := h.Shutdown(context.Background()); err != nil || !closed(h) {
			t.Errorf("once more: %v", err)
		}
	})
}

// orphan is a program that says when its parent has ended.
func orphan() {
	h := must(runtime.Start(runtime.Config{}))
	parent := must(h.Parent())
	again := must(h.Parent())
	fmt.Println("watching", parent.PID(), again == parent)
	<-parent.Done()
	fmt.Println("orphaned", os.Getppid() != parent.PID())
	if err := h.Close(); err != nil {
		panic(err)
	}
}

func TestParent(t *testing.T) {
	leaktest.Check(t)
	t.Run("PY-P-1 a grandchild observes its parent's death", func(t *testing.T) {
		cmd := exec.Command("sh", "-c", `"$0" & echo; wait`, os.Args[0])
		cmd.Env = append(os.Environ(), helperKey+"=orphan")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		next := func(want string) {
			t.Helper()
			for lines.Scan() {
				if lines.Text() != "" {
					break
				}
			}
			if lines.Text() != want {
				t.Fatalf("%q, want %q", lines.Text(), want)
			}
		}
		next(fmt.Sprintf("watching %d true", cmd.Process.Pid))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		next("orphaned true")
		if lines.Scan() {
			t.Errorf("%q", strings.TrimSpace(lines.Text()))
		}
		_ = cmd.Wait()
	})
}
