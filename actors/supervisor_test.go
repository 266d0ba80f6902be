//go:build unix

package actors_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
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

// Starts that fail break the supervisor, after growing delays, and it says why.
func TestBroken(t *testing.T) {
	dead, _ := shell(t, "exit 9")
	refused := errors.New("the host has no ends left")
	for name, test := range map[string]struct {
		prepare func() (actors.Command, actors.Owner, error)
		reason  func(error) bool
		told    string // a part of the message
	}{
		"Prepare fails": {
			func() (actors.Command, actors.Owner, error) { return actors.Command{}, nil, refused },
			func(err error) bool { return errors.Is(err, refused) },
			refused.Error(),
		},
		"no owner": {
			func() (actors.Command, actors.Owner, error) { return sleeper(), nil, nil },
			func(error) bool { return true },
			"neither an owner nor an error",
		},
		"the start fails": {
			func() (actors.Command, actors.Owner, error) {
				return actors.Command{Path: "/no/such/program"}, newWorker(), nil
			},
			func(err error) bool { return errors.Is(err, syscall.ENOENT) },
			"/no/such/program",
		},
		"it exits": {
			func() (actors.Command, actors.Owner, error) {
				return actors.Command{Path: dead.Path, Args: dead.Args}, newWorker(), nil
			},
			func(err error) bool {
				var early *actors.NotReadyError
				return errors.As(err, &early) && early.Exit.Code == 9 && early.Cause.Kind == actors.CauseNone
			},
			"exited with code 9",
		},
		"it breaks the protocol": {
			func() (actors.Command, actors.Owner, error) {
				w := newWorker()
				w.onStarted = func(p *actors.Process) {
					p.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseProtocol, Err: refused})
				}
				return sleeper(), w, nil
			},
			func(err error) bool { return errors.Is(err, refused) },
			"protocol: " + refused.Error(),
		},
	} {
		t.Run(name, func(t *testing.T) {
			var starts atomic.Int64
			begin := time.Now()
			v, broken := supervise(t, newSystem(t), actors.Supervision{
				Workers: 1,
				Prepare: func() (actors.Command, actors.Owner, error) {
					starts.Add(1)
					return test.prepare()
				},
			})
			err := receive(t, broken)
			var b *actors.BrokenError
			if !errors.Is(err, actors.ErrBroken) || !errors.As(err, &b) || b.Failures != 5 || b.Final || b.Name != t.Name() {
				t.Errorf("%+v", err)
			}
			if !test.reason(err) || !strings.Contains(err.Error(), test.told) {
				t.Errorf("it does not tell the reason: %v", err)
			}
			if d := time.Since(begin); d < (10+20+40+80)*time.Millisecond {
				t.Errorf("broken after %v: the delays were not kept", d)
			}
			v.Resize(10)
			select {
			case <-v.Done():
				t.Error("done before Stop")
			default:
			}
			v.Stop(actors.Ladder{}, actors.Cause{})
			receive(t, v.Done())
			if starts.Load() != 5 || len(broken) != 0 {
				t.Errorf("%d starts, want 5; told %d times more", starts.Load(), len(broken))
			}
		})
	}
}

// A broken supervisor leaves what lives alone until it is stopped.
func TestBrokenWithSurvivors(t *testing.T) {
	c := newCrew(sleeper())
	var calls int
	v, broken := supervise(t, newSystem(t), actors.Supervision{
		Workers: 3,
		Prepare: func() (actors.Command, actors.Owner, error) {
			if calls++; calls > 2 {
				return actors.Command{}, nil, actors.Permanent(errors.New("no more"))
			}
			return c.prepare()
		},
	})
	receive(t, broken)
	for range 2 {
		if p := receive(t, c.started); !alive(p.PID()) {
			t.Error("not alive")
		}
	}
	if v.Live() != 2 {
		t.Errorf("%d live", v.Live())
	}
	v.Stop(actors.Ladder{}, actors.Cause{Kind: actors.CauseShutdown})
	receive(t, v.Done())
	for range 2 {
		diedOf(t, receive(t, c.reports), syscall.SIGKILL, actors.CauseShutdown)
	}
}

// What another try cannot cure breaks at once.
func TestPermanent(t *testing.T) {
	incurable := errors.New("pool.Main is missing")
	for name, prepare := range map[string]func() (actors.Command, actors.Owner, error){
		"from Prepare": func() (actors.Command, actors.Owner, error) {
			return actors.Command{}, nil, actors.Permanent(incurable)
		},
		"as the cause": func() (actors.Command, actors.Owner, error) {
			w := newWorker()
			w.onStarted = func(p *actors.Process) {
				p.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseStart, Err: actors.Permanent(incurable)})
			}
			return sleeper(), w, nil
		},
		"of a process that left by itself": func() (actors.Command, actors.Owner, error) {
			w := newWorker()
			w.onStarted = func(p *actors.Process) {
				for alive(p.PID()) { // the owner learns of it when it is gone
					time.Sleep(time.Millisecond)
				}
				p.Kill(actors.Ladder{}, actors.Cause{Kind: actors.CauseStart, Err: actors.Permanent(incurable)})
			}
			return actors.Command{Path: "/bin/true"}, w, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			var starts atomic.Int64
			_, broken := supervise(t, newSystem(t), actors.Supervision{
				Workers: 1,
				Prepare: func() (actors.Command, actors.Owner, error) { starts.Add(1); return prepare() },
			})
			err := receive(t, broken)
			var b *actors.BrokenError
			if !errors.As(err, &b) || !b.Final || !errors.Is(err, incurable) || starts.Load() != 1 {
				t.Errorf("%v after %d starts", err, starts.Load())
			}
		})
	}
	if actors.Permanent(nil) != nil {
		t.Error("Permanent(nil) is an error")
	}
}

func TestStartTimeout(t *testing.T) {
	const limit = 20 * time.Millisecond
	reports := make(chan actors.Report, 10)
	_, broken := supervise(t, newSystem(t), actors.Supervision{
		Workers: 1, MaxFailures: 2, StartTimeout: limit,
		Prepare: func() (actors.Command, actors.Owner, error) {
			w := newWorker()
			w.onExited = func(r actors.Report) { reports <- r }
			return sleeper(), w, nil
		},
	})
	for range 2 {
		r := receive(t, reports)
		diedOf(t, r, syscall.SIGKILL, actors.CauseStart)
		if d := r.Exit.Time.Sub(r.Started); d < limit {
			t.Errorf("killed after %v of %v", d, limit)
		}
	}
	err := receive(t, broken)
	var slow *actors.StartTimeoutError
	if !errors.As(err, &slow) || slow.Limit != limit || !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// A process that is ended on purpose before it was ready is not a failed start.
func TestKilledWhileStarting(t *testing.T) {
	started := make(chan *actors.Process, 100)
	v, broken := supervise(t, newSystem(t), actors.Supervision{
		Workers: 1, MaxFailures: 1,
		Prepare: func() (actors.Command, actors.Owner, error) {
			w := newWorker()
			w.onStarted = func(p *actors.Process) { started <- p }
			return sleeper(), w, nil
		},
	})
	for _, kind := range []actors.CauseKind{actors.CauseKill, actors.CauseDeadline, actors.CauseRecycled, actors.CauseShutdown} {
		receive(t, started).Kill(actors.Ladder{}, actors.Cause{Kind: kind})
	}
	receive(t, started)
	if len(broken) != 0 || v.Live() != 1 {
		t.Errorf("%d live, broken: %v", v.Live(), len(broken))
	}
}

// A process that becomes ready sets the delay back.
func TestDelayIsSetBack(t *testing.T) {
	var mu sync.Mutex
	var times []time.Time
	refused := errors.New("refused")
	c := newCrew(sleeper())
	calls := 0
	v, broken := supervise(t, newSystem(t), actors.Supervision{
		Workers: 1, MaxFailures: 100,
		Prepare: func() (actors.Command, actors.Owner, error) {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, time.Now())
			if calls++; calls%5 == 0 {
				return c.prepare()
			}
			return actors.Command{}, nil, refused
		},
	})
	for range 10 { // four failures, 150 ms of delay, and one that is ready
		receive(t, c.started).Kill(actors.Ladder{}, deadline)
	}
	mu.Lock()
	defer mu.Unlock()
	// Without it the 39 delays would come to a minute, and patience would have ended.
	if d := times[4].Sub(times[0]); d < 150*time.Millisecond {
		t.Errorf("%v in the first round, want 10+20+40+80 ms of delay", d)
	}
	v.Stop(actors.Ladder{}, actors.Cause{})
	receive(t, v.Done())
	if len(broken) != 0 {
		t.Error("broken")
	}
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
