package pool_test

import (
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

func TestInsights(t *testing.T) {
	overKinds(t, "where the time went", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		value(t, sleepOn.Submit(t.Context(), p, 50*time.Millisecond))
		held := hold.Submit(t.Context(), p, g.address())
		g.holds(t, 1)
		eventually(t, "it works", func() bool {
			w := p.Insights().Workers
			return len(w) > 0 && w[0].Working > 60*time.Millisecond
		})
		g.open()
		value(t, held)
		eventually(t, "it waits", func() bool { return p.Insights().Workers[0].Waiting > 20*time.Millisecond })
		w := p.Insights().Workers[0]
		if w.Worker == 0 || w.Tasks != 2 || w.Starting < 0 || w.Exiting != 0 {
			t.Errorf("got %+v", w)
		}
		shut(t, p)
		i := p.Insights()
		if len(i.Workers) != 0 || i.Ended.Tasks != 2 || i.Ended.Working < w.Working || i.Ended.Waiting < w.Waiting {
			t.Errorf("got %+v, after %+v", i, w)
		}
	})

	overKinds(t, "the longest tasks", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2, Grace: pool.NoGrace})
		doubled(t, submit(t, p, 100))
		for n := range 6 {
			sleepOn.Submit(t.Context(), p, time.Duration(40+40*n)*time.Millisecond)
		}
		failure[*pool.TimeoutError](t, sleepOn.Submit(t.Context(), p, 2*time.Second, pool.WithTimeout(500*time.Millisecond)))
		shut(t, p)
		longest := p.Insights().Longest
		if len(longest) != 5 || longest[0].Task != "sleepOn" {
			t.Fatalf("got %v", longest)
		}
		for n, atLeast := range []time.Duration{500, 240, 200, 160, 120} { // ms; on a busy machine others may be as long
			run := longest[n]
			if run.Task == "" || run.Worker == 0 || run.Elapsed < atLeast*time.Millisecond || n > 0 && run.Elapsed > longest[n-1].Elapsed {
				t.Errorf("got %v", longest)
			}
		}
	})
}
