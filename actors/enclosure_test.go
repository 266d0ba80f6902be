//go:build unix

package actors_test

import (
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
)

// fence is an enclosure that notes what it is told.
type fence struct {
	onStarted func(pid int) error
	group     *os.File // nil: none
	mark      uint64
	evidence  error // of Killed

	mu   sync.Mutex
	told []string
	over chan func() // what Ended gave
}

func newFence() *fence { return &fence{over: make(chan func(), 1)} }

func (f *fence) note(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, what)
}

func (f *fence) heard() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.told)
}

func (f *fence) Place(l actors.Limits) actors.Place {
	place := actors.Place{Group: -1, Mark: f.mark, Limits: l}
	if f.group != nil {
		place.Group = int(f.group.Fd())
	}
	return place
}

func (f *fence) Watched(*actors.Process) { f.note("watched") }
func (f *fence) Condemned()              { f.note("condemned") }

func (f *fence) Killed() actors.Cause {
	f.note("killed")
	return actors.Cause{Err: f.evidence}
}

func (f *fence) Started(pid int) error {
	f.note("started")
	if f.onStarted != nil {
		return f.onStarted(pid)
	}
	return nil
}

func (f *fence) Ended(over func()) {
	f.note("ended")
	f.over <- over
}

// fenced makes a system with one enclosure.
func fenced(t *testing.T, f *fence, err error) *actors.System {
	t.Helper()
	s, newErr := actors.NewSystem(newReactor(t), actors.Config{
		Logger:  slog.New(slog.DiscardHandler),
		Enclose: func(actors.Limits) (actors.Enclosure, error) { return asEnclosure(f), err },
	})
	if newErr != nil {
		t.Fatal(newErr)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func enclosed(c actors.Command) actors.Command {
	c.Enclosed = true
	return c
}

// The owner hears of the exit at once; the supervision is over when the enclosure is.
func TestEnclosure(t *testing.T) {
	f, w := newFence(), newWorker()
	v := single(t, fenced(t, f, nil), w, enclosed(sleeper()))
	receive(t, w.started)
	v.Stop(actors.Ladder{}, actors.Cause{})
	receive(t, w.exited)
	over := receive(t, f.over)
	select {
	case <-v.Done():
		t.Error("the supervision is over, and the enclosure is not")
	case <-time.After(20 * time.Millisecond):
	}
	over()
	receive(t, v.Done())
	if told := f.heard(); !slices.Equal(told, []string{"started", "watched", "ended"}) {
		t.Error(told)
	}
}

// The enclosure is told of a process that nobody can have reaped, however short
// its life was.
func TestEnclosureBeforeWatch(t *testing.T) {
	f, w := newFence(), newWorker()
	f.onStarted = func(pid int) error {
		eventually(t, "its end", func() bool { return !runs(pid) })
		return syscall.Kill(pid, 0) // there is a zombie
	}
	single(t, fenced(t, f, nil), w, enclosed(actors.Command{Path: "/bin/true"}))
	receive(t, w.started)
	if r := receive(t, w.exited); !r.Exit.Success() {
		t.Error(r.Exit)
	}
	receive(t, f.over)()
}

// What the enclosure refuses has not been started, and leaves no process.
func TestEnclosureRefuses(t *testing.T) {
	reason := errors.New("no room")
	t.Run("before", func(t *testing.T) {
		w := newWorker()
		single(t, fenced(t, nil, reason), w, enclosed(sleeper()))
		var start *actors.StartError
		if err := receive(t, w.failed); !errors.As(err, &start) || !errors.Is(err, reason) {
			t.Error(err)
		}
	})
	t.Run("after", func(t *testing.T) {
		f, w, started := newFence(), newWorker(), make(chan int, 1)
		f.onStarted = func(pid int) error { started <- pid; return reason }
		single(t, fenced(t, f, nil), w, enclosed(sleeper()))
		var start *actors.StartError
		if err := receive(t, w.failed); !errors.As(err, &start) || !errors.Is(err, reason) {
			t.Error(err)
		}
		if pid := receive(t, started); syscall.Kill(pid, 0) != syscall.ESRCH {
			t.Errorf("%d is there", pid)
		}
		receive(t, f.over)()
		w.finished(t)
	})
}

// A program that cannot be executed leaves no enclosure.
func TestEnclosureOfNothing(t *testing.T) {
	f, w := newFence(), newWorker()
	single(t, fenced(t, f, nil), w, enclosed(actors.Command{Path: "/no/such/program"}))
	receive(t, w.failed)
	receive(t, f.over)()
	if told := f.heard(); !slices.Equal(told, []string{"ended"}) {
		t.Error(told)
	}
}

// The enclosure is asked why a process was killed, if nobody here has done it.
func TestEnclosureOfKilled(t *testing.T) {
	for who, kill := range map[string]func(*actors.Process) error{
		"an outsider": func(p *actors.Process) error { return syscall.Kill(p.PID(), syscall.SIGKILL) },
		"we":          func(p *actors.Process) error { p.Kill(actors.Ladder{}, actors.Cause{}); return nil },
		"its owner":   func(p *actors.Process) error { return p.Signal(syscall.SIGKILL) },
	} {
		t.Run(who, func(t *testing.T) {
			f, w := newFence(), newWorker()
			f.evidence = errors.New("no memory")
			single(t, fenced(t, f, nil), w, enclosed(sleeper()))
			p := receive(t, w.started)
			p.Ready()
			if err := kill(p); err != nil {
				t.Fatal(err)
			}
			r := receive(t, w.exited)
			outside := who == "an outsider"
			if errors.Is(r.Cause.Err, f.evidence) != outside || slices.Contains(f.heard(), "killed") != outside {
				t.Errorf("%v; the enclosure heard %v", r.Cause, f.heard())
			}
			receive(t, f.over)()
			w.finished(t)
		})
	}
}

// Without an enclosure nobody holds a process to a limit of memory.
func TestMemoryWithoutEnclosure(t *testing.T) {
	w := newWorker()
	single(t, newSystem(t), w, actors.Command{Path: "/bin/true", Limits: actors.Limits{Memory: 1 << 30}, Enclosed: true})
	var limit *actors.LimitError
	if err := receive(t, w.failed); !errors.As(err, &limit) || !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	single(t, newSystem(t), w, actors.Command{Path: "/bin/true", Limits: actors.Limits{Memory: 1}})
	var unfit *actors.ConfigError
	if err := receive(t, w.failed); !errors.As(err, &unfit) || unfit.Field != "Limits.Memory" {
		t.Error(err)
	}
}

// Who does not ask for an enclosure has none.
func TestNotEnclosed(t *testing.T) {
	f, w := newFence(), newWorker()
	v := single(t, fenced(t, f, nil), w, sleeper())
	receive(t, w.started)
	v.Stop(actors.Ladder{}, actors.Cause{})
	receive(t, v.Done())
	if told := f.heard(); told != nil {
		t.Error(told)
	}
}

// asEnclosure keeps a nil fence from being an enclosure.
func asEnclosure(f *fence) actors.Enclosure {
	if f == nil {
		return nil
	}
	return f
}
