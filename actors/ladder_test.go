//go:build unix

package actors_test

import (
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

var deadline = actors.Cause{Kind: actors.CauseDeadline, Err: errors.New("too late")}

// deaf starts a process that ignores SIGTERM.
func deaf(t *testing.T, s *actors.System, w *worker) *actors.Process {
	t.Helper()
	command, out := shell(t, "trap '' TERM; echo ready; exec sleep 1000")
	single(t, s, w, command)
	p := receive(t, w.started)
	p.Ready()
	out.line()
	return p
}

func diedOf(t *testing.T, r actors.Report, sig syscall.Signal, cause actors.CauseKind) {
	t.Helper()
	if r.Exit.Kind != reactor.Signalled || r.Exit.Signal != sig || r.Cause.Kind != cause {
		t.Errorf("%v, cause %v; want a death by %v, cause %v", r.Exit, r.Cause, sig, cause)
	}
}

// stillRuns asserts that the process is not ended within d.
func stillRuns(t *testing.T, w *worker, p *actors.Process, d time.Duration) {
	t.Helper()
	select {
	case r := <-w.exited:
		t.Fatalf("ended: %v, %v", r.Exit, r.Cause)
	case <-time.After(d):
	}
	if !alive(p.PID()) {
		t.Fatal("it does not live")
	}
}

func TestKillAtOnce(t *testing.T) {
	w := newWorker()
	p := deaf(t, newSystem(t), w)
	p.Kill(actors.Ladder{}, deadline)
	r := receive(t, w.exited)
	diedOf(t, r, syscall.SIGKILL, actors.CauseDeadline)
	if r.Cause.Err != deadline.Err {
		t.Errorf("cause %v, want the error that was given", r.Cause)
	}
}

// PY-P-3: terminate reports SIGTERM, kill reports SIGKILL.
func TestTerm(t *testing.T) {
	w := newWorker()
	single(t, newSystem(t), w, sleeper())
	p := receive(t, w.started)
	p.Kill(actors.Ladder{Term: true, Grace: time.Hour}, deadline)
	diedOf(t, receive(t, w.exited), syscall.SIGTERM, actors.CauseDeadline)
}

// MT-1, ER-1: what ignores TERM lives to the end of its grace and no longer.
func TestGrace(t *testing.T) {
	const grace = 250 * time.Millisecond
	w := newWorker()
	p := deaf(t, newSystem(t), w)
	begin := time.Now()
	p.Kill(actors.Ladder{Term: true, Grace: grace}, deadline)
	r := receive(t, w.exited)
	diedOf(t, r, syscall.SIGKILL, actors.CauseDeadline)
	if d := r.Exit.Time.Sub(begin); d < grace {
		t.Errorf("dead after %v of %v", d, grace)
	}
}

func TestAskAndObey(t *testing.T) {
	w := newWorker()
	command, out := shell(t, "trap 'exit 7' USR1; echo ready; while :; do sleep 0.01; done")
	single(t, newSystem(t), w, command)
	p := receive(t, w.started)
	p.Ready()
	out.line()
	p.Kill(actors.Ladder{Ask: true, Grace: time.Hour}, deadline)
	if c := receive(t, w.asked); c != deadline {
		t.Errorf("asked for %v", c)
	}
	sendSignal(t, p.PID(), syscall.SIGUSR1)
	r := receive(t, w.exited)
	if r.Exit.Code != 7 || r.Cause != deadline {
		t.Errorf("%v, %v; want code 7 and the cause that it was asked for", r.Exit, r.Cause)
	}
	w.finished(t)
}

func TestSpare(t *testing.T) {
	const grace = 500 * time.Millisecond // for a kill and what spares it to follow one another on a busy machine
	polite := actors.Ladder{Ask: true, Grace: grace}

	t.Run("in time", func(t *testing.T) {
		w := newWorker()
		single(t, newSystem(t), w, sleeper())
		p := receive(t, w.started)
		p.Ready()
		for range 3 { // each ladder is a new one
			p.Kill(polite, deadline)
			receive(t, w.asked)
			p.Spare()
			receive(t, w.spared)
		}
		stillRuns(t, w, p, 2*grace)
		sendSignal(t, p.PID(), syscall.SIGKILL)
		diedOf(t, receive(t, w.exited), syscall.SIGKILL, actors.CauseNone) // an outsider's, not ours
		w.finished(t)
	})
	t.Run("too late", func(t *testing.T) {
		w := newWorker()
		single(t, newSystem(t), w, sleeper())
		p := receive(t, w.started)
		p.Kill(polite, deadline)
		receive(t, w.asked)
		eventually(t, "dead", func() bool { return !alive(p.PID()) })
		p.Spare()
		diedOf(t, receive(t, w.exited), syscall.SIGKILL, actors.CauseDeadline)
		w.finished(t)
	})
	t.Run("after a kill at once", func(t *testing.T) {
		w := newWorker()
		single(t, newSystem(t), w, sleeper())
		p := receive(t, w.started)
		p.Kill(actors.Ladder{Ask: true, Grace: time.Hour}, deadline)
		p.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseKill})
		p.Spare()
		diedOf(t, receive(t, w.exited), syscall.SIGKILL, actors.CauseDeadline) // the first cause stands
		if len(w.spared) != 0 {
			t.Error("spared after KILL")
		}
	})
	t.Run("without a ladder", func(t *testing.T) {
		w := newWorker()
		single(t, newSystem(t), w, sleeper())
		p := receive(t, w.started)
		p.Spare()
		p.Kill(actors.Ladder{}, deadline)
		diedOf(t, receive(t, w.exited), syscall.SIGKILL, actors.CauseDeadline)
		w.finished(t)
	})
	t.Run("after a TERM that is obeyed later", func(t *testing.T) {
		w := newWorker()
		single(t, newSystem(t), w, sleeper())
		p := receive(t, w.started)
		p.Ready()
		sendSignal(t, p.PID(), syscall.SIGSTOP)
		eventually(t, "stopped", func() bool { return strings.HasPrefix(status(p.PID()), "T") }) // TERM pends; before, it would come first
		p.Kill(actors.Ladder{Ask: true, Term: true, Grace: time.Hour}, deadline)
		receive(t, w.asked)
		p.Spare()
		receive(t, w.spared)
		sendSignal(t, p.PID(), syscall.SIGCONT)
		diedOf(t, receive(t, w.exited), syscall.SIGTERM, actors.CauseDeadline)
	})
	t.Run("of a process without its channel", func(t *testing.T) {
		w := newWorker()
		single(t, newSystem(t), w, sleeper())
		p := receive(t, w.started)
		p.Ready()
		p.Kill(actors.Ladder{Ask: true, Grace: time.Hour}, deadline)
		receive(t, w.asked)
		p.ChannelClosed()
		p.Spare()
		receive(t, w.spared)
		diedOf(t, receive(t, w.exited), syscall.SIGKILL, actors.CauseProtocol)
	})
}

// The ladder of a Stop is not called off with one of Kill that it has joined.
func TestStopOutlastsSpare(t *testing.T) {
	const grace = time.Second // in which a shell has to answer, also on a busy machine
	w := newWorker()
	command, out := shell(t, "trap 'echo term' TERM; echo ready; while :; do sleep 0.01; done")
	v := single(t, newSystem(t), w, command)
	p := receive(t, w.started)
	p.Ready()
	out.line()
	p.Kill(actors.Ladder{Ask: true, Grace: time.Hour}, deadline)
	receive(t, w.asked)
	begin := time.Now()
	v.Stop(actors.Ladder{Ask: true, Term: true, Grace: grace}, actors.Cause{Kind: actors.CauseShutdown})
	if got := out.line(); got != "term" {
		t.Fatal(got)
	}
	p.Spare()
	receive(t, w.spared)
	if c := receive(t, w.asked); c.Kind != actors.CauseShutdown {
		t.Errorf("asked for %v after the pardon", c)
	}
	r := receive(t, w.exited)
	diedOf(t, r, syscall.SIGKILL, actors.CauseShutdown)
	if d := r.Exit.Time.Sub(begin); d < grace {
		t.Errorf("dead after %v of %v", d, grace)
	}
	receive(t, v.Done())
	w.finished(t)
}

func TestEscalation(t *testing.T) {
	other := actors.Cause{Kind: actors.CauseShutdown}

	t.Run("further rungs", func(t *testing.T) {
		w := newWorker()
		single(t, newSystem(t), w, sleeper())
		p := receive(t, w.started)
		p.Kill(actors.Ladder{Ask: true, Grace: time.Hour}, deadline)
		p.Kill(actors.Ladder{Ask: true, Term: true, Grace: time.Hour}, other)
		diedOf(t, receive(t, w.exited), syscall.SIGTERM, actors.CauseDeadline)
		receive(t, w.asked)
		w.finished(t) // asked once
	})
	t.Run("less grace", func(t *testing.T) {
		w := newWorker()
		p := deaf(t, newSystem(t), w)
		p.Kill(actors.Ladder{Term: true, Grace: time.Hour}, deadline)
		p.Kill(actors.Ladder{Term: true, Grace: time.Millisecond}, other)
		diedOf(t, receive(t, w.exited), syscall.SIGKILL, actors.CauseDeadline)
	})
	t.Run("never more grace", func(t *testing.T) {
		w := newWorker()
		p := deaf(t, newSystem(t), w)
		p.Kill(actors.Ladder{Term: true, Grace: 20 * time.Millisecond}, deadline)
		p.Kill(actors.Ladder{Term: true, Grace: time.Hour}, other)
		diedOf(t, receive(t, w.exited), syscall.SIGKILL, actors.CauseDeadline)
	})
	t.Run("at once", func(t *testing.T) {
		w := newWorker()
		p := deaf(t, newSystem(t), w)
		p.Kill(actors.Ladder{Term: true, Grace: time.Hour}, deadline)
		p.Kill(actors.Ladder{}, other)
		diedOf(t, receive(t, w.exited), syscall.SIGKILL, actors.CauseDeadline)
	})
}

// Killers race with one another, with pardons and with the exit: the owner is
// told once, and a pardon that was granted is honoured.
func TestKillRaces(t *testing.T) {
	s := newSystem(t)
	for range 50 {
		w := newWorker()
		single(t, s, w, sleeper())
		p := receive(t, w.started)
		p.Ready()
		var killers sync.WaitGroup
		for _, l := range []actors.Ladder{
			{},
			{Ask: true, Grace: time.Millisecond},
			{Term: true, Grace: time.Millisecond},
			{Ask: true, Grace: time.Hour},
		} {
			killers.Go(func() { p.Kill(l, deadline) })
			killers.Go(p.Spare)
			killers.Go(p.ChannelClosed)
		}
		killers.Wait()
		r := receive(t, w.exited)
		if r.Cause.Kind != actors.CauseDeadline {
			t.Errorf("%v, %v", r.Exit, r.Cause)
		}
		if len(w.exited) != 0 {
			t.Error("told twice")
		}
	}
}
