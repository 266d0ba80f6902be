//go:build unix

package actors_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
)

// crew prepares workers that become ready as soon as they are started, and
// passes their processes on.
type crew struct {
	command actors.Command
	started chan *actors.Process
	reports chan actors.Report
}

func newCrew(command actors.Command) *crew {
	return &crew{command: command, started: make(chan *actors.Process, 1000), reports: make(chan actors.Report, 1000)}
}

func (c *crew) prepare() (actors.Command, actors.Owner, error) {
	w := newWorker()
	w.onStarted = func(p *actors.Process) { p.Ready(); c.started <- p }
	w.onExited = func(r actors.Report) { c.reports <- r }
	return c.command, w, nil
}

func supervise(t *testing.T, s *actors.System, cfg actors.Supervision) (*actors.Supervisor, <-chan error) {
	t.Helper()
	broken := make(chan error, 10)
	cfg.Name, cfg.DrainTimeout = t.Name(), -1
	cfg.Broken = func(err error) { broken <- err }
	v, err := s.Supervise(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v, broken
}

// 200 deaths in a row, ours and others', of processes that were ready, delay
// nothing and break nothing.
func TestReplacements(t *testing.T) {
	const n = 200
	c := newCrew(sleeper())
	s := newSystem(t)
	v, broken := supervise(t, s, actors.Supervision{Workers: 2, Prepare: c.prepare, MaxFailures: 1})
	for i := range n {
		p := receive(t, c.started)
		p.SetBusy(true)
		switch i % 3 {
		case 0:
			p.Kill(actors.Ladder{}, deadline)
		case 1:
			sendSignal(t, p.PID(), syscall.SIGKILL)
		case 2:
			p.ChannelClosed()
			p.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseProtocol})
		}
		if r := receive(t, c.reports); r.PID != p.PID() || !r.BecameReady {
			t.Fatalf("%+v", r)
		}
	}
	eventually(t, "two live again", func() bool { return v.Live() == 2 })
	v.Stop(actors.Ladder{}, actors.Cause{Kind: actors.CauseShutdown})
	receive(t, v.Done())
	if len(c.started) != 2 || len(broken) != 0 {
		t.Errorf("%d more starts than deaths, want 2; %d times broken", len(c.started), len(broken))
	}
}

// The place of a process is free when it has exited, not when its channel, which
// a descendant may hold, has ended.
func TestReplacementDuringDrain(t *testing.T) {
	c := newCrew(sleeper())
	s := newSystem(t)
	_, err := s.Supervise(actors.Supervision{Name: t.Name(), Workers: 1, Prepare: c.prepare, DrainTimeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	first := receive(t, c.started)
	first.Kill(actors.Ladder{}, deadline)
	second := receive(t, c.started)
	if first.State() != actors.Draining || len(c.reports) != 0 {
		t.Errorf("the first is %v", first.State())
	}
	first.ChannelClosed()
	second.ChannelClosed() // so that Close need not wait for an hour
	receive(t, c.reports)
}

func TestResize(t *testing.T) {
	c := newCrew(sleeper())
	v, _ := supervise(t, newSystem(t), actors.Supervision{Prepare: c.prepare})
	for _, n := range []int{1, 3, 10} {
		v.Resize(n)
		eventually(t, "so many live", func() bool { return v.Live() == n })
	}
	v.Resize(-1) // zero: none is replaced
	for range 10 {
		receive(t, c.started).Kill(actors.Ladder{}, deadline)
		receive(t, c.reports)
	}
	v.Stop(actors.Ladder{}, actors.Cause{})
	receive(t, v.Done())
	if len(c.started) != 0 {
		t.Error("replaced though none was wanted")
	}
}

func TestStopEscalates(t *testing.T) {
	command, out := shell(t, "trap '' TERM; echo ready; exec sleep 1000")
	w := newWorker()
	v := single(t, newSystem(t), w, command)
	receive(t, w.started).Ready()
	out.line()
	v.Stop(actors.Ladder{Ask: true, Term: true, Grace: time.Hour}, actors.Cause{Kind: actors.CauseShutdown})
	if c := receive(t, w.asked); c.Kind != actors.CauseShutdown {
		t.Error(c)
	}
	select {
	case <-v.Done():
		t.Fatal("done with a process that lives")
	default:
	}
	v.Stop(actors.Ladder{}, actors.Cause{Kind: actors.CauseKill})
	receive(t, v.Done())
	diedOf(t, receive(t, w.exited), syscall.SIGKILL, actors.CauseShutdown)
}

func TestConfigErrors(t *testing.T) {
	s := newSystem(t)
	for field, cfg := range map[string]actors.Supervision{
		"Supervision.Prepare":      {},
		"Supervision.Workers":      {Prepare: noStart, Workers: -1},
		"Supervision.MaxFailures":  {Prepare: noStart, MaxFailures: -1},
		"Supervision.Within":       {Prepare: noStart, Within: -1},
		"Supervision.StartTimeout": {Prepare: noStart, StartTimeout: -1},
	} {
		_, err := s.Supervise(cfg)
		var bad *actors.ConfigError
		if !errors.As(err, &bad) || bad.Field != field || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// A process that retires is replaced while it works, and its end starts nothing;
// one that is too many, after the Resize that says so, is not replaced at all.
func TestRetire(t *testing.T) {
	c := newCrew(sleeper())
	v, _ := supervise(t, newSystem(t), actors.Supervision{Workers: 1, Prepare: c.prepare})
	first := receive(t, c.started)
	first.Retire()
	second := receive(t, c.started)
	if n := v.Live(); n != 2 {
		t.Errorf("%d processes are alive", n)
	}
	first.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseRecycled})
	diedOf(t, receive(t, c.reports), syscall.SIGKILL, actors.CauseRecycled)
	v.Resize(0)
	second.Retire()
	second.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseRecycled})
	diedOf(t, receive(t, c.reports), syscall.SIGKILL, actors.CauseRecycled)
	v.Resize(1)
	receive(t, c.started)
	if n := len(c.started); n != 0 || v.Live() != 1 {
		t.Errorf("%d more were started, %d are alive", n, v.Live())
	}
}
