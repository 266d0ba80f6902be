package pool_test

import (
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// TestRate: no more tasks begin than Config.Rate allows, and they wait in the
// queue.
func TestRate(t *testing.T) {
	overKinds(t, "tasks begin no faster", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 4, Rate: 50})
		from := time.Now()
		doubled(t, submit(t, p, 11))
		if took := time.Since(from); took < 195*time.Millisecond { // the first at once, 10 more at 50/s
			t.Errorf("11 tasks took %v", took)
		}
	})

	overKinds(t, "a burst is what a hundredth of a second allows", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 4, Rate: 1000})
		from := time.Now()
		doubled(t, submit(t, p, 211))
		if took := time.Since(from); took < 195*time.Millisecond { // 11 at once, 200 at 1000/s
			t.Errorf("211 tasks took %v", took)
		}
	})

	overKinds(t, "no worker begins early what waits behind a long task", func(t *testing.T, open opener) {
		p, g, held := saturate(t, open, pool.Config{Workers: 1, Rate: 50})
		fs := submit(t, p, 5)
		time.Sleep(200 * time.Millisecond) // at that rate all might have begun
		from := time.Now()
		g.open()
		value(t, held[0])
		doubled(t, fs)
		if took := time.Since(from); took < 55*time.Millisecond { // one at once, since one may be saved up
			t.Errorf("they took %v", took)
		}
	})

	overKinds(t, "what waits for it can be cancelled, and is in order", func(t *testing.T, open opener) {
		untilUndisturbed(t, func() bool {
			p, log := open(t, pool.Config{Workers: 4, Rate: 20}), newOrderLog(t)
			from := time.Now()
			value(t, log.submit(p, "first"))
			late := log.submit(p, "late")
			log.submit(p, "low")
			log.submit(p, "high", pool.WithPriority(1))
			cancelled := late.Cancel()
			if time.Since(from) >= time.Second/20 {
				log.read()
				_ = p.Close()
				return false // "late" or "low" may have begun
			}
			if !cancelled || late.State() != futures.Cancelled {
				t.Error("it is not cancelled")
			}
			log.expect("first", "high", "low")
			return true
		})
	})

	overKinds(t, "a bounded queue is full of what waits for it", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2, Rate: 0.01, Queue: 2, WhenFull: pool.Refuse})
		value(t, double.Submit(t.Context(), p, 1))
		waiting := submit(t, p, 2)
		matches(t, double.Submit(t.Context(), p, 1), pool.ErrQueueFull)
		for _, f := range waiting {
			if !f.Cancel() {
				t.Error("it is not cancelled")
			}
		}
	})

	overKinds(t, "a shutdown does not wait for it, if it cancels", func(t *testing.T, open opener) {
		for _, mode := range []pool.ShutdownMode{pool.CancelPending, pool.Kill} {
			p := open(t, pool.Config{Workers: 1, Rate: 0.01})
			value(t, double.Submit(t.Context(), p, 1))
			f := double.Submit(t.Context(), p, 1)
			if err := p.Shutdown(t.Context(), mode); err != nil {
				t.Error(err)
			}
			matches(t, f, futures.ErrCancelled, pool.ErrShutdown)
		}
	})

	overKinds(t, "it may be higher than what the workers can do", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2, Rate: 1e12})
		doubled(t, submit(t, p, 3000))
	})
}
