package pool_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// tally counts futures by how they ended.
type tally struct{ succeeded, failed, timedOut, killed, cancelled uint64 }

func (n *tally) count(t *testing.T, f *futures.Future[none], err error) {
	t.Helper()
	_, isTimeout := errors.AsType[*pool.TimeoutError](err)
	_, isKilled := errors.AsType[*pool.KilledError](err)
	_, isTask := errors.AsType[*pool.TaskError](err)
	switch s := f.State(); {
	case s == futures.Succeeded && err == nil:
		n.succeeded++
	case s == futures.Cancelled && errors.Is(err, futures.ErrCancelled):
		n.cancelled++
	case s == futures.Failed && isTimeout:
		n.failed++
		n.timedOut++
	case s == futures.Failed && isKilled:
		n.failed++
		n.killed++
	case s == futures.Failed && isTask:
		n.failed++
	default:
		t.Errorf("%v: %v", s, err)
	}
}

// TestHammer submits from many goroutines and ends what was submitted in every
// way there is, at random. Every future settles, and the pool's figures are what
// the futures say.
func TestHammer(t *testing.T) {
	overKinds(t, "every end meets every state", func(t *testing.T, open opener) {
		const callers, tasksEach = 4, 60
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		p := open(t, pool.Config{Workers: 3, Queue: 16, Grace: 5 * time.Millisecond})
		fs := make(chan *future, callers*tasksEach)
		var calling sync.WaitGroup
		for c := range callers {
			random := rand.New(rand.NewPCG(seed, uint64(c)))
			calling.Go(func() {
				for range tasksEach {
					fs <- submitAndMeddle(p, random)
				}
			})
		}
		calling.Wait()
		close(fs)
		var n tally
		for f := range fs {
			_, err := result(t, f)
			n.count(t, f, err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		s := p.Stats()
		if got := (tally{s.Succeeded, s.Failed, s.TimedOut, s.Killed, s.Cancelled}); got != n || s.Lost != 0 || s.Submitted != s.Settled() {
			t.Errorf("the futures say %+v, the pool %+v", n, s)
		}
	})
}

// submitAndMeddle submits one task of some kind, and perhaps ends it somehow
// after some time.
func submitAndMeddle(p pool.Pool, random *rand.Rand) *future {
	ctx, cancel := context.WithCancel(context.Background())
	options := []pool.Option{pool.WithPriority(random.IntN(3)), pool.WithQueue([]string{"", "a", "b"}[random.IntN(3)])}
	if random.IntN(4) == 0 {
		options = append(options, pool.WithTimeout(time.Duration(random.IntN(3000)+1)*time.Microsecond))
	}
	length := time.Duration(random.IntN(2000)) * time.Microsecond
	var f *future
	switch random.IntN(3) {
	case 0:
		f = fail.Submit(ctx, p, "boom", options...)
	case 1:
		f = sleep.Submit(ctx, p, length, options...)
	case 2:
		f = sleepOn.Submit(ctx, p, length, options...)
	}
	meddle := map[int]func(){0: func() { f.Cancel() }, 1: func() { f.Kill() }, 2: cancel}[random.IntN(12)]
	after := time.Duration(random.IntN(3000)) * time.Microsecond
	if meddle == nil {
		meddle, after = func() {}, 0
	}
	timer := time.AfterFunc(after, meddle)
	f.OnDone(func(*future) {
		timer.Stop()
		cancel()
	})
	return f
}
