//go:build unix

package actors_test

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

// patience bounds waits for what must happen soon.
const patience = 20 * time.Second

func newReactor(t testing.TB) *reactor.Reactor {
	t.Helper()
	r, err := reactor.New(reactor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// newSystem makes a system that is closed at the end of the test, its reactor after it.
func newSystem(t testing.TB) *actors.System {
	t.Helper()
	s, err := actors.NewSystem(newReactor(t), actors.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// worker is an owner that passes on what it is told.
type worker struct {
	started chan *actors.Process
	asked   chan actors.Cause
	spared  chan struct{}
	exited  chan actors.Report
	failed  chan error

	onStarted func(*actors.Process)
	onExited  func(actors.Report)
	reason    error // that Exited returns
}

func newWorker() *worker {
	return &worker{
		started: make(chan *actors.Process, 10),
		asked:   make(chan actors.Cause, 10),
		spared:  make(chan struct{}, 10),
		exited:  make(chan actors.Report, 10),
		failed:  make(chan error, 10),
	}
}

func (w *worker) Started(p *actors.Process) {
	if w.onStarted != nil {
		w.onStarted(p)
	}
	w.started <- p
}

func (w *worker) Ask(cause actors.Cause) { w.asked <- cause }
func (w *worker) Spared()                { w.spared <- struct{}{} }
func (w *worker) StartFailed(err error)  { w.failed <- err }

func (w *worker) Exited(r actors.Report) error {
	if w.onExited != nil {
		w.onExited(r)
	}
	w.exited <- r
	return w.reason
}

// finished asserts that the worker has been told nothing after its end.
func (w *worker) finished(t testing.TB) {
	t.Helper()
	if n := len(w.started) + len(w.asked) + len(w.spared) + len(w.exited) + len(w.failed); n != 0 {
		t.Errorf("the owner was told %d things too many", n)
	}
}

// receive returns what comes from c, or fails the test.
func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing came within %v", patience)
		panic("unreachable")
	}
}

// eventually waits until condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// single supervises one process that is not replaced: after its end Prepare says
// that it is permanently over.
func single(t testing.TB, s *actors.System, w *worker, command actors.Command, change ...func(*actors.Supervision)) *actors.Supervisor {
	t.Helper()
	first := true
	cfg := actors.Supervision{
		Name:         t.Name(),
		Workers:      1,
		DrainTimeout: -1,
		Prepare: func() (actors.Command, actors.Owner, error) {
			if !first {
				return actors.Command{}, nil, actors.Permanent(errors.New("one is enough"))
			}
			first = false
			return command, w, nil
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	v, err := s.Supervise(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// shell is a command for the shell whose standard output can be read from the
// reader that is returned.
func shell(t testing.TB, script string) (actors.Command, *output) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return actors.Command{
		Path:  "/bin/sh",
		Args:  []string{"sh", "-c", script},
		Files: []*os.File{nil, w, ownStderr(t)},
	}, &output{t: t, file: r, buffered: bufio.NewReader(r)}
}

// ownStderr is the tests' standard error for a command, whose spawner closes it.
func ownStderr(t testing.TB) *os.File {
	t.Helper()
	fd, err := syscall.Dup(int(os.Stderr.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "stderr")
}

func sleeper() actors.Command {
	return actors.Command{Path: "/bin/sleep", Args: []string{"sleep", "1000"}}
}

// output is what a process writes.
type output struct {
	t        testing.TB
	file     *os.File
	buffered *bufio.Reader
}

func (o *output) line() string {
	o.t.Helper()
	if err := o.file.SetReadDeadline(time.Now().Add(patience)); err != nil {
		o.t.Fatal(err)
	}
	s, err := o.buffered.ReadString('\n')
	if err != nil {
		o.t.Fatalf("read %q, then: %v", s, err)
	}
	return strings.TrimSpace(s)
}

func (o *output) pid() int {
	o.t.Helper()
	pid, err := strconv.Atoi(o.line())
	if err != nil {
		o.t.Fatal(err)
	}
	return pid
}

// rest reads to the end.
func (o *output) rest() string {
	o.t.Helper()
	if err := o.file.SetReadDeadline(time.Now().Add(patience)); err != nil {
		o.t.Fatal(err)
	}
	b, err := io.ReadAll(o.buffered)
	if err != nil {
		o.t.Fatal(err)
	}
	return string(b)
}
