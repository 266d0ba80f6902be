package reactor

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestSchedule(t *testing.T) {
	var s schedule
	watches := make([]*Watch, 100)
	for i := range watches {
		watches[i] = &Watch{nextLook: appointment{position: unscheduled}}
		s.put(watches[i], time.Duration(rand.IntN(1000)))
	}
	for i, w := range watches {
		switch i % 3 {
		case 0:
			s.drop(w)
			s.drop(w) // a second time is nothing
		case 1:
			s.put(w, w.nextLook.due/2)
		}
	}
	var taken []entry
	for now := time.Duration(0); now < 1000; now += 100 {
		before := len(taken)
		taken = s.take(now, taken)
		for _, e := range taken[before:] {
			if a := e.appointment(); a.due > now || a.due <= now-100 && now > 0 || a.position != unscheduled {
				t.Fatalf("at %d: due %d, position %d", now, a.due, a.position)
			}
		}
	}
	if rest := len(s.take(1000, nil)); len(taken)+rest != 66 || len(s) != 0 {
		t.Errorf("%d taken, then %d, %d left; want 66 in all", len(taken), rest, len(s))
	}
}
