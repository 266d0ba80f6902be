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
		Workers: 2,
		Prepare: func() (actors.Command, actors.Owner, error) {
			if calls++; calls > 2 {
				return actors.Command{}, nil, actors.Permanent(errors.New("no more"))
			}
			return c.prepare()
		},
	})
	both := []*actors.Process{receive(t, c.started), receive(t, c.started)}
	v.Resize(3)
	receive(t, broken)
	for _, p := range both {
		if !alive(p.PID()) {
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
		"as the owner sees it": func() (actors.Command, actors.Owner, error) {
			w := newWorker()
			w.reason = actors.Permanent(incurable)
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

// Starts that fail together count once, and after that there is one try at a
// time: 8, and then 4 more.
func TestFailingTogether(t *testing.T) {
	var starts atomic.Int64
	v, broken := supervise(t, newSystem(t), actors.Supervision{
		Workers: 8,
		Prepare: func() (actors.Command, actors.Owner, error) {
			starts.Add(1)
			return actors.Command{}, nil, syscall.EAGAIN
		},
	})
	var b *actors.BrokenError
	if err := receive(t, broken); !errors.As(err, &b) || b.Failures != 5 || !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("%+v", err)
	}
	v.Stop(actors.Ladder{}, actors.Cause{})
	receive(t, v.Done())
	if starts.Load() != 12 {
		t.Errorf("%d starts, want 8 together and 4 alone", starts.Load())
	}
}

// A process that leaves as soon as it is ready delays its replacements, longer
// and longer, and breaks nothing.
func TestFlashes(t *testing.T) {
	const n = 6
	var starts []time.Time
	done := make(chan struct{})
	v, broken := supervise(t, newSystem(t), actors.Supervision{
		Workers: 1, DrainTimeout: -1, MaxFailures: 2,
		Prepare: func() (actors.Command, actors.Owner, error) {
			if starts = append(starts, time.Now()); len(starts) == n {
				close(done)
			}
			w := newWorker()
			w.onStarted = func(p *actors.Process) { p.Ready() }
			return actors.Command{Path: "/bin/true"}, w, nil
		},
	})
	receive(t, done)
	if d := starts[n-1].Sub(starts[0]); d < (10+20+40+80+160)*time.Millisecond {
		t.Errorf("%d starts in %v: the delays were not kept", n, d)
	}
	if len(broken) != 0 {
		t.Errorf("broken: %v", <-broken)
	}
	v.Stop(actors.Ladder{}, actors.Cause{})
	receive(t, v.Done())
}
