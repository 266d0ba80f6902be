//go:build unix

package actors_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

// freshProgram copies a small program, so that its file was written a moment ago.
func freshProgram(t testing.TB, path string) {
	t.Helper()
	b, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o700); err != nil {
		t.Fatal(err)
	}
}

// A program written a moment ago starts, though other threads fork meanwhile and
// their children hold it open for writing until they exec.
func TestFreshProgram(t *testing.T) {
	stop := make(chan struct{})
	var forkers sync.WaitGroup
	for range 4 {
		forkers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = exec.Command("/bin/true").Run()
				}
			}
		})
	}
	defer forkers.Wait()
	defer close(stop)

	const n = 100
	dir := t.TempDir()
	s := newSystem(t)
	for i := range n {
		w := newWorker()
		path := filepath.Join(dir, fmt.Sprint(i))
		freshProgram(t, path)
		single(t, s, w, actors.Command{Path: path})
		select {
		case r := <-w.exited:
			if !r.Exit.Success() {
				t.Fatal(r.Exit)
			}
		case err := <-w.failed:
			t.Fatal(err)
		case <-time.After(patience):
			t.Fatal("neither started nor failed")
		}
	}
}

func TestBusyProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "program")
	freshProgram(t, path)
	writer, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	s := newSystem(t)

	w := newWorker()
	v := single(t, s, w, actors.Command{Path: path})
	t.Run("delays no other start", func(t *testing.T) {
		other := newWorker()
		single(t, s, other, sleeper())
		p := receive(t, other.started)
		if len(w.failed) != 0 {
			t.Error("the busy one had failed before")
		}
		p.Kill(actors.Ladder{}, deadline)
		receive(t, other.exited)
	})
	t.Run("is given up", func(t *testing.T) {
		err := receive(t, w.failed)
		var start *actors.StartError
		if !errors.Is(err, syscall.ETXTBSY) || !errors.As(err, &start) || start.Path != path {
			t.Errorf("error %v", err)
		}
		w.finished(t)
	})
	t.Run("is not tried again after Stop", func(t *testing.T) {
		v.Stop(actors.Ladder{}, actors.Cause{})
		w := newWorker()
		prepared := make(chan struct{})
		v := single(t, s, w, actors.Command{Path: path}, func(s *actors.Supervision) {
			prepare := s.Prepare
			s.Prepare = func() (actors.Command, actors.Owner, error) {
				defer close(prepared)
				return prepare()
			}
		})
		receive(t, prepared)
		v.Stop(actors.Ladder{}, actors.Cause{})
		if err := receive(t, w.failed); !errors.Is(err, actors.ErrClosed) {
			t.Error(err)
		}
		receive(t, v.Done())
	})
	t.Run("starts when it is free", func(t *testing.T) {
		w := newWorker()
		single(t, s, w, actors.Command{Path: path})
		time.AfterFunc(20*time.Millisecond, func() { _ = writer.Close() })
		receive(t, w.started)
		if r := receive(t, w.exited); !r.Exit.Success() {
			t.Error(r.Exit)
		}
	})
}

// GO-5: a start that fails tells why, and leaks nothing of what was prepared.
func TestFailedStart(t *testing.T) {
	s := newSystem(t)
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		command actors.Command
		path    string // that the error names
		is      error
	}{
		"no program":     {actors.Command{Path: "/no/such/program"}, "/no/such/program", fs.ErrNotExist},
		"not executable": {actors.Command{Path: plain}, plain, fs.ErrPermission},
		"no directory":   {actors.Command{Path: "/bin/true", Dir: "/no/such/directory"}, "/no/such/directory", fs.ErrNotExist},
		"NUL":            {actors.Command{Path: "/bin/true", Args: []string{"true", "a\x00b"}}, "/bin/true", syscall.EINVAL},
	} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			test.command.Files = []*os.File{nil, w}
			owner := newWorker()
			single(t, s, owner, test.command)
			err = receive(t, owner.failed)
			var start *actors.StartError
			if !errors.As(err, &start) || !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.path) {
				t.Errorf("error %v", err)
			}
			if _, err := w.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
				t.Errorf("the file that was to go to the child is open here: %v", err)
			}
			owner.finished(t)
		})
	}
}

// A child that cannot be watched is killed and reaped. leaktest would see it.
func TestFailedWatch(t *testing.T) {
	r := newReactor(t)
	s, err := actors.NewSystem(r, actors.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	w := newWorker()
	command, out := shell(t, "sleep 1000 & sleep 1000")
	single(t, s, w, command)
	var watch *reactor.WatchError
	if err := receive(t, w.failed); !errors.Is(err, reactor.ErrClosed) && !errors.As(err, &watch) {
		t.Error(err)
	}
	out.rest() // ends when nobody holds the pipe any more
	w.finished(t)
}

func TestCommand(t *testing.T) {
	w := newWorker()
	command, out := shell(t, `echo "$STINT_COLOUR"; pwd; echo "$0" "$1"`)
	command.Args = append(command.Args, "first", "second")
	command.Env = []string{"STINT_COLOUR=blue"}
	command.Dir = "/"
	single(t, newSystem(t), w, command)
	if got := out.rest(); got != "blue\n/\nfirst second\n" {
		t.Errorf("%q", got)
	}
}
