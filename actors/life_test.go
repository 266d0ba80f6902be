//go:build unix

package actors_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

func TestLife(t *testing.T) {
	w := newWorker()
	var inStarted actors.State
	w.onStarted = func(p *actors.Process) { inStarted = p.State() }
	before := time.Now()
	v := single(t, newSystem(t), w, sleeper(), func(s *actors.Supervision) { s.DrainTimeout = patience })

	p := receive(t, w.started)
	if inStarted != actors.Starting || !alive(p.PID()) || v.Live() != 1 {
		t.Errorf("started: state %v, alive %v, live %d", inStarted, alive(p.PID()), v.Live())
	}
	p.Ready()
	eventually(t, "ready", func() bool { return p.State() == actors.Ready })
	p.SetBusy(true)
	if s := p.State(); s != actors.Busy {
		t.Errorf("state %v, want busy", s)
	}
	p.SetBusy(false)
	if s := p.State(); s != actors.Ready {
		t.Errorf("state %v, want ready", s)
	}
	p.SetBusy(true)

	sendSignal(t, p.PID(), syscall.SIGUSR1)
	eventually(t, "draining, and none live", func() bool { return p.State() == actors.Draining && v.Live() == 0 })
	select {
	case r := <-w.exited:
		t.Fatalf("told before the channel had ended: %+v", r)
	default:
	}
	p.ChannelClosed()
	r := receive(t, w.exited)
	if r.PID != p.PID() || r.Exit.Kind != reactor.Signalled || r.Exit.Signal != syscall.SIGUSR1 {
		t.Errorf("report %+v, want a death by SIGUSR1", r)
	}
	if r.Cause.Kind != actors.CauseNone || !r.BecameReady || !r.Drained {
		t.Errorf("report %+v, want no cause, ready, drained", r)
	}
	if !before.Before(r.Started) || !r.Started.Before(r.ReadyAt) || !r.ReadyAt.Before(r.Exit.Time) {
		t.Errorf("times out of order: %v %v %v %v", before, r.Started, r.ReadyAt, r.Exit.Time)
	}
	eventually(t, "exited", func() bool { return p.State() == actors.Exited })

	v.Stop(actors.Ladder{}, actors.Cause{Kind: actors.CauseShutdown})
	receive(t, v.Done())
	w.finished(t)
}

// PY-P-9: exit codes come through exactly.
func TestExitCodes(t *testing.T) {
	s := newSystem(t)
	for _, code := range []int{0, 1, 8, 255} {
		w := newWorker()
		command, _ := shell(t, fmt.Sprint("exit ", code))
		single(t, s, w, command)
		r := receive(t, w.exited)
		if r.Exit.Kind != reactor.Exited || r.Exit.Code != code || r.Cause.Kind != actors.CauseNone {
			t.Errorf("exit %d: %v, %v", code, r.Exit, r.Cause)
		}
	}
}

// A process whose exit may be seen before its start is told of in the right
// order, once.
func TestShortestLives(t *testing.T) {
	const n = 200
	var starts, ends, disorder atomic.Int64
	done := make(chan struct{})
	s := newSystem(t)
	_, err := s.Supervise(actors.Supervision{
		Name: "true", Workers: 4, DrainTimeout: -1,
		Prepare: func() (actors.Command, actors.Owner, error) {
			w := newWorker()
			w.onStarted = func(p *actors.Process) { starts.Add(1); p.SetBusy(true); p.Ready() }
			w.onExited = func(r actors.Report) {
				if len(w.started) != 1 || len(w.exited) != 0 || r.Cause.Kind == actors.CauseNone && !r.Exit.Success() {
					disorder.Add(1)
				}
				if ends.Add(1) == n {
					close(done)
				}
			}
			return actors.Command{Path: "/bin/true"}, w, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	receive(t, done)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if starts.Load() != ends.Load() || disorder.Load() != 0 {
		t.Errorf("%d started, %d ended, %d out of order", starts.Load(), ends.Load(), disorder.Load())
	}
}

// What a process says in its last moment still counts: here that it is ready.
func TestReadyWhileDraining(t *testing.T) {
	w := newWorker()
	command, _ := shell(t, "exit 3")
	v := single(t, newSystem(t), w, command, func(s *actors.Supervision) { s.DrainTimeout = patience; s.MaxFailures = 1 })
	p := receive(t, w.started)
	eventually(t, "draining", func() bool { return p.State() == actors.Draining })
	p.Ready()
	p.ChannelClosed()
	if r := receive(t, w.exited); !r.BecameReady || r.ReadyAt.IsZero() || !r.Drained {
		t.Errorf("report %+v, want ready and drained", r)
	}
	// Its place was taken at once: Prepare is asked again, and says no.
	v.Stop(actors.Ladder{}, actors.Cause{})
	receive(t, v.Done())
}

func TestDrainTimeout(t *testing.T) {
	const limit = 50 * time.Millisecond
	w := newWorker()
	command, _ := shell(t, "exit 0")
	single(t, newSystem(t), w, command, func(s *actors.Supervision) { s.DrainTimeout = limit })
	r := receive(t, w.exited)
	if r.Drained {
		t.Error("drained, though the channel never ended")
	}
	if d := time.Since(r.Exit.Time); d < limit {
		t.Errorf("told %v after the exit, before its %v were over", d, limit)
	}
}

func TestChannelClosed(t *testing.T) {
	t.Run("and the process stays", func(t *testing.T) {
		w := newWorker()
		single(t, newSystem(t), w, sleeper())
		p := receive(t, w.started)
		p.Ready()
		p.ChannelClosed()
		r := receive(t, w.exited)
		if r.Cause.Kind != actors.CauseProtocol || r.Cause.Err == nil || r.Exit.Signal != syscall.SIGKILL || !r.Drained {
			t.Errorf("report %+v, want a kill for the protocol", r)
		}
	})
	t.Run("and the exit follows", func(t *testing.T) {
		w := newWorker()
		in, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		command := actors.Command{Path: "/bin/cat", Files: []*os.File{in}}
		single(t, newSystem(t), w, command, func(s *actors.Supervision) { s.DrainTimeout = patience })
		p := receive(t, w.started)
		p.Ready()
		p.ChannelClosed()
		if err := out.Close(); err != nil { // cat ends
			t.Fatal(err)
		}
		// Within 100 ms on a machine that is not too busy; else it was killed.
		if r := receive(t, w.exited); r.Cause.Kind == actors.CauseNone && r.Exit.Kind != reactor.Exited || !r.Drained {
			t.Errorf("report %+v, want its own exit", r)
		}
	})
}

func TestMethodsAfterTheEnd(t *testing.T) {
	w := newWorker()
	v := single(t, newSystem(t), w, actors.Command{Path: "/bin/true"})
	p := receive(t, w.started)
	receive(t, w.exited)
	p.Ready()
	p.SetBusy(true)
	p.ChannelClosed()
	p.Kill(actors.Ladder{}, actors.Cause{})
	p.Kill(actors.Ladder{Ask: true, Grace: time.Hour}, actors.Cause{})
	p.Spare()
	v.Stop(actors.Ladder{}, actors.Cause{})
	receive(t, v.Done())
	v.Stop(actors.Ladder{}, actors.Cause{})
	v.Resize(5)
	w.finished(t)
	if s := p.State(); s != actors.Exited || v.Live() != 0 {
		t.Errorf("state %v, %d live", s, v.Live())
	}
}
