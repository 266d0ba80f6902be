package pool_test

import (
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

func TestBadTasks(t *testing.T) {
	overKinds(t, "LK-3 100 bad ones, then 100 good ones: the good survive", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2, Queue: 50})
		var bad []*future
		for range 100 {
			bad = append(bad, panics.Submit(t.Context(), p, "shaken"))
		}
		doubled(t, submit(t, p, 100))
		for _, f := range bad {
			failure[*pool.PanicError](t, f)
		}
	})

	overKinds(t, "LK-4 a callback that fails leaves the pool usable", func(t *testing.T, open opener) {
		before := slog.Default()
		slog.SetDefault(slog.New(slog.DiscardHandler)) // futures report such callbacks
		defer slog.SetDefault(before)
		p := open(t, pool.Config{Workers: 2})
		var ran sync.WaitGroup
		for n := range 20 {
			ran.Add(1)
			double.Submit(t.Context(), p, n).OnDone(func(f *futures.Future[int]) {
				defer ran.Done()
				submit(t, p, 1)
				panic("a bad callback")
			})
		}
		ran.Wait()
		doubled(t, submit(t, p, 100))
	})

	overKinds(t, "retried, cancelled and killed at random, each settles once", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 4, Grace: pool.NoGrace})
		var fs []*futures.Future[int]
		for range 120 {
			limit := time.Duration(1+rand.IntN(20)) * 10 * time.Millisecond
			policy := pool.Retry{Attempts: 1 + rand.IntN(4), On: pool.OnAny, Backoff: at(time.Duration(rand.IntN(20)) * time.Millisecond)}
			f := everyOther.Submit(t.Context(), p, failing(t, rand.IntN(3)), pool.WithTimeout(limit), pool.WithRetry(policy))
			fs = append(fs, f)
			switch rand.IntN(4) {
			case 0:
				time.AfterFunc(limit, func() { f.Kill() })
			case 1:
				time.AfterFunc(limit/2, func() { f.Cancel() })
			}
		}
		for _, f := range fs[:60] {
			awaitSettled(t, f)
		}
		if err := p.Shutdown(t.Context(), pool.CancelPending); err != nil {
			t.Error(err)
		}
		for _, f := range fs {
			if f.State() == futures.Pending || f.State() == futures.Running {
				t.Fatalf("one is %v after the shutdown", f.State())
			}
		}
	})
}
