//go:build unix

package actors_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
)

// witness is an owner that checks what it is told and in what order. That it is
// told one thing at a time is the race detector's to see.
type witness struct {
	chaos   *chaos
	lonely  bool // its process ends by what is done to it here and by nothing else
	process *actors.Process
	ended   bool
}

func (w *witness) expect(ok bool, told string) {
	if !ok || w.ended {
		w.chaos.t.Errorf("told %q out of turn", told)
	}
}

func (w *witness) Started(p *actors.Process) {
	w.expect(w.process == nil, "started")
	w.process = p
	w.chaos.enter(p)
	if rand.N(2) == 0 {
		p.SetBusy(true) // so that its early death delays nothing
		p.Ready()
	}
}

func (w *witness) Ask(c actors.Cause) {
	w.expect(w.process != nil && c.Kind != actors.CauseNone, "ask")
}

func (w *witness) Spared() { w.expect(w.process != nil, "spared") }

func (w *witness) Exited(r actors.Report) error {
	w.expect(w.process != nil && r.PID == w.process.PID(), "exited")
	w.ended = true
	if w.lonely && r.Cause.Kind == actors.CauseNone {
		w.chaos.t.Errorf("%v without a cause", r.Exit)
	}
	w.chaos.ends.Add(1)
	return nil
}

func (w *witness) StartFailed(error) {
	w.expect(w.process == nil, "start failed")
	w.ended = true
	w.chaos.ends.Add(1)
}

// chaos does to processes all that can be done, all at once.
type chaos struct {
	t              *testing.T
	prepared, ends atomic.Int64

	mu        sync.Mutex
	processes []*actors.Process
}

var ladders = []actors.Ladder{
	{},
	{Ask: true, Grace: time.Millisecond},
	{Ask: true, Term: true, Grace: 3 * time.Millisecond},
	{Term: true, Grace: time.Hour},
	{Grace: 2 * time.Millisecond},
}

func (c *chaos) prepare() (actors.Command, actors.Owner, error) {
	if rand.N(20) == 0 {
		return actors.Command{}, nil, errors.New("not this time")
	}
	c.prepared.Add(1)
	w := &witness{chaos: c}
	switch rand.N(8) {
	case 0:
		return actors.Command{Path: "/no/such/program"}, w, nil
	case 1:
		return actors.Command{Path: "/bin/true"}, w, nil
	case 2:
		return actors.Command{Path: "/bin/sleep", Args: []string{"sleep", "0.005"}}, w, nil
	}
	w.lonely = true
	return sleeper(), w, nil
}

func (c *chaos) enter(p *actors.Process) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.processes = append(c.processes, p)
}

// some returns one of the latest processes.
func (c *chaos) some() *actors.Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.processes)
	if n == 0 {
		return nil
	}
	return c.processes[n-1-rand.N(min(n, 8))]
}

func (c *chaos) disturb(p *actors.Process) {
	switch rand.N(8) {
	case 0, 1:
		p.SetBusy(true)
		p.Ready()
	case 2:
		p.SetBusy(p.State() == actors.Ready)
	case 3:
		p.ChannelClosed()
	case 4, 5:
		p.Spare()
	default:
		p.Kill(ladders[rand.N(len(ladders))], deadline)
	}
}

// Kills, pardons, exits, starts that fail, processes that become ready, channels
// that end, a Resize and Stops race with one another: each owner that was
// prepared is told its end once and in order, no death by our hand lacks its
// cause, and nothing is left.
func TestRaces(t *testing.T) {
	for range 5 {
		c := &chaos{t: t}
		s := newSystem(t)
		v, err := s.Supervise(actors.Supervision{
			Name: t.Name(), Workers: 4, Prepare: c.prepare,
			MaxFailures: 1 << 30, DrainTimeout: time.Millisecond, StartTimeout: 20 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		stopped := make(chan struct{})
		var users sync.WaitGroup
		for range 4 {
			users.Go(func() {
				for {
					select {
					case <-stopped:
						return
					case <-time.After(rand.N(time.Millisecond)):
					}
					if p := c.some(); p != nil {
						c.disturb(p)
					}
				}
			})
		}
		eventually(t, "50 starts", func() bool { v.Resize(1 + rand.N(8)); return c.prepared.Load() > 50 })
		for range 3 {
			users.Go(func() { v.Stop(ladders[rand.N(len(ladders))], actors.Cause{Kind: actors.CauseShutdown}) })
		}
		users.Go(func() {
			v.Stop(actors.Ladder{Ask: true, Grace: 50 * time.Millisecond}, actors.Cause{Kind: actors.CauseShutdown})
		})
		receive(t, v.Done())
		close(stopped)
		users.Wait()
		if c.prepared.Load() != c.ends.Load() || v.Live() != 0 {
			t.Errorf("%d prepared, %d told of the end, %d live", c.prepared.Load(), c.ends.Load(), v.Live())
		}
	}
}
