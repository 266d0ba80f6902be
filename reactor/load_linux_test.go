package reactor_test

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor"
)

// One reactor watches 10,000 children. Threads do not grow with watches, and a watch
// is small.
func TestManyWatches(t *testing.T) {
	if !alone(t) {
		return
	}
	many, fewest := 10_000, 1000
	if testing.Short() || underRace || os.Getenv("STINT_REACTOR") == "poll" { // the same again
		many, fewest = 1000, 100
	}
	r := open(t, reactor.BackendPidfd)
	crowd := newCrowdUpTo(t, many)
	if many = len(crowd.children); many < fewest {
		t.Skipf("this machine starts no more than %d processes here", many)
	}
	exits := make(chan reactor.Exit, many)
	before, threadsBefore := heap(), threads(t)
	watches := make([]*reactor.Watch, 0, many)
	for _, p := range crowd.children {
		w, err := r.Watch(p, func(e reactor.Exit) { exits <- e })
		if err != nil {
			t.Fatal(err)
		}
		watches = append(watches, w)
		if err := p.Release(); err != nil { // its descriptor: two for each child would be too many
			t.Fatal(err)
		}
	}
	bytes := (int(heap()) - int(before)) / many
	if s := r.Stats(); s.Watches != many || s.Polled != 0 {
		t.Fatalf("%+v", s)
	}
	n := threads(t)
	t.Logf("%d watches: %d bytes each, %d threads", many, bytes, n)
	if n > max(6, threadsBefore) { // those before are Go's own
		t.Errorf("%d threads with %d watches, %d before the first", n, many, threadsBefore)
	}
	if bytes > 2048 {
		t.Errorf("%d bytes per watch", bytes)
	}
	for _, w := range watches[:100] {
		if err := w.Signal(unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	crowd.lifeline.Close()
	kinds := map[string]int{}
	for range many {
		select {
		case e := <-exits:
			kinds[e.String()]++
		case <-time.After(patience):
			t.Fatalf("of %d exits came %v", many, kinds)
		}
	}
	if kinds["killed by SIGTERM"] != 100 || kinds["exited with code 0"] != many-100 {
		t.Errorf("the exits: %v", kinds)
	}
	// Go itself starts some when so much happens at once, and keeps them.
	if n := threads(t); n > threadsBefore+10 {
		t.Errorf("%d threads after %d exits, %d before the first watch", n, many, threadsBefore)
	}
}

// An idle reactor does not wake up.
func TestIdle(t *testing.T) {
	for _, b := range []reactor.Backend{reactor.BackendPidfd, reactor.BackendWaiter} {
		t.Run(b.String(), func(t *testing.T) {
			const many = 100
			r := open(t, b)
			crowd := newCrowd(t, many)
			exits := make(chan reactor.Exit, many)
			for _, p := range crowd.children {
				if _, err := r.Watch(p, func(e reactor.Exit) { exits <- e }); err != nil {
					t.Fatal(err)
				}
			}
			before := r.Stats().Wakeups
			select {
			case e := <-exits:
				t.Fatalf("process %d %v", e.PID, e)
			case <-time.After(2 * time.Second):
			}
			if n := r.Stats().Wakeups - before; n != 0 {
				t.Errorf("%d wake-ups in 2 s without an exit", n)
			}
			crowd.lifeline.Close()
			for range many {
				<-exits
			}
		})
	}
}
