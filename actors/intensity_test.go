package actors

import (
	"slices"
	"testing"
	"time"
)

func TestIntensity(t *testing.T) {
	start := time.Now()
	for name, test := range map[string]struct {
		failures []time.Duration // since start
		ready    bool            // one becomes ready after each
		tooMany  []bool
	}{
		"together":         {[]time.Duration{0, 0, 0, 0}, true, []bool{false, false, true, true}},
		"just within":      {[]time.Duration{0, 5, 10}, true, []bool{false, false, true}},
		"just without":     {[]time.Duration{0, 5, 11}, true, []bool{false, false, false}},
		"slowly":           {[]time.Duration{0, 10, 20, 30, 40}, true, []bool{false, false, false, false, false}},
		"slowly, then not": {[]time.Duration{0, 10, 20, 21, 22}, true, []bool{false, false, false, false, true}},
		"slowly, in a row": {[]time.Duration{0, 30, 60, 90}, false, []bool{false, false, true, true}},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIntensity(3, 10)
			var got []bool
			for _, d := range test.failures {
				got = append(got, i.failed(start.Add(d)))
				if test.ready {
					i.succeeded(start.Add(d))
				}
			}
			if !slices.Equal(got, test.tooMany) {
				t.Errorf("%v, want %v", got, test.tooMany)
			}
		})
	}
}

func TestDelays(t *testing.T) {
	i := newIntensity(5, time.Second)
	for round := range 2 {
		for n, want := range []time.Duration{10, 20, 40, 80, 160, 320, 640, 1280, 2000, 2000} {
			if got := i.nextDelay(); got != want*time.Millisecond {
				t.Errorf("round %d: delay %d is %v, want %v ms", round, n, got, want)
			}
		}
		i.succeeded(time.Now())
	}
}

// The delays for a busy program file come to about a second.
func TestBusyDelays(t *testing.T) {
	s := &spawner{}
	r := &request{busy: doubling(firstBusy, lastBusy)}
	tries := 0
	for ; r.waited < busyLimit; tries++ {
		r.waited += r.busy.NextBackOff()
	}
	if s.later(r) || r.waited > busyLimit*5/4 || tries > 20 {
		t.Errorf("%v in %d tries", r.waited, tries)
	}
}
