//go:build unix

package actors_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

func fixed(c actors.Command) func() (actors.Command, error) {
	return func() (actors.Command, error) { return c, nil }
}

// A process without a supervisor is told of once, and not replaced.
func TestStart(t *testing.T) {
	s := newSystem(t)
	w := newWorker()
	if err := s.Start(w, fixed(actors.Command{Path: "/bin/sh", Args: []string{"sh", "-c", "exit 3"}})); err != nil {
		t.Fatal(err)
	}
	p := receive(t, w.started)
	r := receive(t, w.exited)
	if r.PID != p.PID() || r.Exit.Kind != reactor.Exited || r.Exit.Code != 3 || r.Cause.Kind != actors.CauseNone || !r.BecameReady {
		t.Errorf("%+v", r)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	w.finished(t)
}

func TestStartOfNothing(t *testing.T) {
	s := newSystem(t)
	w := newWorker()
	if err := s.Start(w, fixed(actors.Command{Path: "/no/such/program"})); err != nil {
		t.Fatal(err)
	}
	err := receive(t, w.failed)
	var start *actors.StartError
	if !errors.As(err, &start) || start.Path != "/no/such/program" || !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	w.finished(t)
}

func TestStartUnprepared(t *testing.T) {
	s := newSystem(t)
	w := newWorker()
	reason := errors.New("not today")
	if err := s.Start(w, func() (actors.Command, error) { return actors.Command{}, reason }); err != nil {
		t.Fatal(err)
	}
	if err := receive(t, w.failed); !errors.Is(err, reason) {
		t.Error(err)
	}
	w.finished(t)
}

// A ladder and a signal end it as they end any other.
func TestStartedAreKilled(t *testing.T) {
	s := newSystem(t)
	for name, end := range map[string]func(*actors.Process){
		"ladder": func(p *actors.Process) { p.Kill(actors.Ladder{Term: true, Grace: time.Hour}, actors.Cause{}) },
		"signal": func(p *actors.Process) { _ = p.Signal(syscall.SIGTERM) },
		"group":  func(p *actors.Process) { _ = p.SignalGroup(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorker()
			if err := s.Start(w, fixed(sleeper())); err != nil {
				t.Fatal(err)
			}
			p := receive(t, w.started)
			if state := p.State(); state != actors.Ready {
				t.Error(state)
			}
			end(p)
			r := receive(t, w.exited)
			ours := name == "ladder"
			if r.Exit.Signal != syscall.SIGTERM || (r.Cause.Kind == actors.CauseKill) != ours {
				t.Errorf("%v, %v", r.Exit, r.Cause)
			}
		})
	}
}

// A command can lead a session.
func TestSession(t *testing.T) {
	s := newSystem(t)
	w := newWorker()
	command := sleeper()
	command.Session = true
	if err := s.Start(w, fixed(command)); err != nil {
		t.Fatal(err)
	}
	p := receive(t, w.started)
	if session, err := unix.Getsid(p.PID()); err != nil || session != p.PID() {
		t.Errorf("session %d of process %d, %v", session, p.PID(), err)
	}
	p.Kill(actors.Ladder{}, actors.Cause{})
	receive(t, w.exited)
}

// Close kills what was started, whether it runs already or not, and refuses more.
func TestCloseKillsStarted(t *testing.T) {
	s, err := actors.NewSystem(newReactor(t), actors.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	owners := make([]*worker, 20)
	for i := range owners {
		owners[i] = newWorker()
		if err := s.Start(owners[i], fixed(sleeper())); err != nil {
			t.Fatal(err)
		}
	}
	receive(t, owners[0].started)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, w := range owners {
		switch {
		case len(w.failed) == 1:
			if err := <-w.failed; !errors.Is(err, actors.ErrClosed) {
				t.Error(err)
			}
		case len(w.exited) != 1:
			t.Error("an owner does not know the end")
		default:
			if r := <-w.exited; r.Cause.Kind != actors.CauseShutdown {
				t.Error(r.Cause)
			}
		}
	}
	if err := s.Start(newWorker(), fixed(sleeper())); !errors.Is(err, actors.ErrClosed) {
		t.Error(err)
	}
}
