package actors_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/reactor/frozentest"
)

// bereaved is a worker that is told of its process if that does not end.
type bereaved struct {
	*worker
	unkillable chan *actors.UnkillableError
}

func newBereaved() bereaved { return bereaved{newWorker(), make(chan *actors.UnkillableError, 10)} }

func (w bereaved) Unkillable(err *actors.UnkillableError) { w.unkillable <- err }

// brief is the time that unkillable processes have in tests.
const brief = 200 * time.Millisecond

func newBriefSystem(t testing.TB) *actors.System {
	t.Helper()
	s, err := actors.NewSystem(newReactor(t), actors.Config{Logger: slog.New(slog.DiscardHandler), KillTimeout: brief})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// held starts a process and freezes it.
func held(t *testing.T, s *actors.System, owner actors.Owner, started <-chan *actors.Process) (*actors.Process, func()) {
	t.Helper()
	if err := s.Start(owner, fixed(sleeper())); err != nil {
		t.Fatal(err)
	}
	p := receive(t, started)
	return p, frozentest.Hold(t, p.PID())
}

// A process that does not end is given up, whoever kills it and how.
func TestUnkillable(t *testing.T) {
	reason := errors.New("the reason")
	for name, kill := range map[string]func(*actors.Process){
		"at once": func(p *actors.Process) {
			p.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseDeadline, Err: reason})
		},
		"a ladder": func(p *actors.Process) {
			p.Kill(actors.Ladder{Term: true, Grace: 1}, actors.Cause{Kind: actors.CauseDeadline, Err: reason})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, w := newBriefSystem(t), newBereaved()
			p, release := held(t, s, w, w.started)
			begin := time.Now()
			kill(p)
			err := receive(t, w.unkillable)
			if took := time.Since(begin); took < brief || err.After < brief || err.After > took {
				t.Errorf("told after %v: %v", took, err)
			}
			if err.PID != p.PID() || err.Cause.Kind != actors.CauseDeadline || !errors.Is(err, reason) || !errors.Is(err, actors.ErrUnkillable) {
				t.Errorf("%+v", err)
			}
			if !strings.Contains(err.Error(), "SIGKILL") || p.State() != actors.Abandoned || len(s.Processes()) != 0 {
				t.Errorf("%v, %v, %v", err, p.State(), s.Processes())
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			release()
			w.finished(t)
		})
	}
}

// A signal is no ladder; but a KILL is one.
func TestUnkillableBySignal(t *testing.T) {
	for name, kill := range map[string]func(*actors.Process) error{
		"signal":       func(p *actors.Process) error { return p.Signal(syscall.SIGKILL) },
		"group signal": func(p *actors.Process) error { return p.SignalGroup(syscall.SIGKILL) },
	} {
		t.Run(name, func(t *testing.T) {
			s, w := newBriefSystem(t), newBereaved()
			p, _ := held(t, s, w, w.started)
			if err := kill(p); err != nil {
				t.Fatal(err)
			}
			if err := receive(t, w.unkillable); err.Cause.Kind != actors.CauseNone {
				t.Error(err.Cause)
			}
		})
	}
}

// Who is no Witness is told of an exit that nobody knows.
func TestUnkillableWithoutWitness(t *testing.T) {
	s, w := newBriefSystem(t), newWorker()
	p, _ := held(t, s, w, w.started)
	p.Kill(actors.Ladder{}, actors.Cause{})
	r := receive(t, w.exited)
	if r.Exit.Kind != reactor.Unknown || r.Exit.Success() || !errors.Is(r.Exit.Err, actors.ErrUnkillable) || r.PID != p.PID() {
		t.Errorf("%+v", r)
	}
}

// Close does not wait for ever, and a supervisor replaces what does not end.
func TestUnkillableIsReplaced(t *testing.T) {
	s := newBriefSystem(t)
	owners := make(chan bereaved, 10)
	v, err := s.Supervise(actors.Supervision{Name: t.Name(), Workers: 1, DrainTimeout: -1, Prepare: func() (actors.Command, actors.Owner, error) {
		w := newBereaved()
		w.onStarted = (*actors.Process).Ready
		owners <- w
		return sleeper(), w, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	first := receive(t, owners)
	p := receive(t, first.started)
	release := frozentest.Hold(t, p.PID())
	p.SetBusy(true)
	p.Kill(actors.Ladder{}, actors.Cause{})
	receive(t, first.unkillable)
	second := receive(t, owners)
	frozentest.Hold(t, receive(t, second.started).PID())
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	receive(t, second.unkillable)
	<-v.Done()
	if v.Live() != 0 {
		t.Error(v.Live())
	}
	release()
	first.finished(t)
	second.finished(t)
}

// What ends after all within its time has exited, and what ends later is reaped.
func TestUnkillableForAMoment(t *testing.T) {
	s := newSystem(t)
	w := newBereaved()
	p, release := held(t, s, w, w.started)
	p.Kill(actors.Ladder{}, actors.Cause{})
	release()
	if r := receive(t, w.exited); r.Exit.Signal != syscall.SIGKILL || r.Cause.Kind != actors.CauseKill {
		t.Errorf("%+v", r)
	}
	w.finished(t)
}

func TestKillTimeoutConfig(t *testing.T) {
	_, err := actors.NewSystem(newReactor(t), actors.Config{KillTimeout: -1})
	var config *actors.ConfigError
	if !errors.As(err, &config) || config.Field != "Config.KillTimeout" {
		t.Error(err)
	}
}

// mourner is a bereaved that is told of a late end.
type mourner struct {
	bereaved
	gone chan reactor.Exit
}

func (m mourner) Gone(e reactor.Exit) { m.gone <- e }

// What was given up and ends after all is told, with how it ended; and its
// enclosure is told of both.
func TestMourner(t *testing.T) {
	f := newFence()
	s, err := actors.NewSystem(newReactor(t), actors.Config{
		Logger: slog.New(slog.DiscardHandler), KillTimeout: brief,
		Enclose: func(actors.Limits) (actors.Enclosure, error) { return f, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	w := mourner{newBereaved(), make(chan reactor.Exit, 10)}
	if err := s.Start(w, fixed(enclosed(sleeper()))); err != nil {
		t.Fatal(err)
	}
	p := receive(t, w.started)
	release := frozentest.Hold(t, p.PID())
	p.Kill(actors.Ladder{}, actors.Cause{})
	receive(t, w.unkillable)
	if told := f.heard(); !slices.Equal(told, []string{"started", "watched", "condemned"}) || len(w.gone) != 0 {
		t.Errorf("the enclosure heard %v; %d exits were told", told, len(w.gone))
	}
	release()
	if e := receive(t, w.gone); e.PID != p.PID() || e.Signal != syscall.SIGKILL && !errors.Is(e.Err, reactor.ErrReapedElsewhere) { // release reaps, too
		t.Error(e)
	}
	receive(t, f.over)()
	w.finished(t)
}
