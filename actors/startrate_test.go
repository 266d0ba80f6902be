//go:build unix

package actors_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
)

// However many processes are missing at once, at the beginning or because they have
// ended together, they are started at the rate that is stated; and all of them are.
func TestStartRate(t *testing.T) {
	const n = 4 * actors.StartBurst
	c := newCrew(sleeper())
	var mu sync.Mutex
	var prepared []time.Time
	s := newSystem(t)
	begin := time.Now()
	v, _ := supervise(t, s, actors.Supervision{Workers: n, Prepare: func() (actors.Command, actors.Owner, error) {
		mu.Lock()
		defer mu.Unlock()
		prepared = append(prepared, time.Now())
		return c.prepare()
	}})
	var crowd []*actors.Process
	for range n {
		crowd = append(crowd, receive(t, c.started))
	}
	for _, p := range crowd { // a thousand deadlines are like these
		p.SetBusy(true)
		p.Kill(actors.Ladder{}, deadline)
	}
	for range n {
		receive(t, c.started)
		receive(t, c.reports)
	}
	eventually(t, "all live again", func() bool { return v.Live() == n })
	mu.Lock()
	defer mu.Unlock()
	if len(prepared) != 2*n {
		t.Fatalf("%d starts, not %d", len(prepared), 2*n)
	}
	// The spawner can be late, but not early: what it has begun was allowed by then.
	rate := float64(actors.StartRate * runtime.GOMAXPROCS(0))
	for i, at := range prepared {
		since := at.Sub(begin)
		if most := actors.StartBurst + rate*since.Seconds() + 1; float64(i+1) > most {
			t.Fatalf("%d starts in %v, more than %.0f", i+1, since, most)
		}
	}
	v.Stop(actors.Ladder{}, actors.Cause{Kind: actors.CauseShutdown})
	receive(t, v.Done())
}
