package futures_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stint-go/stint/futures"
)

// race calls each of fs in a goroutine of its own, all as nearly at one moment as
// can be, and returns when they have.
func race(fs ...func()) {
	var group sync.WaitGroup
	var ready atomic.Int32
	for _, f := range fs {
		group.Go(func() {
			for ready.Add(1); ready.Load() < int32(len(fs)); {
				runtime.Gosched()
			}
			f()
		})
	}
	group.Wait()
}

func TestOneOfManySettlersWins(t *testing.T) {
	const rounds, settlers = 2000, 8
	for range rounds {
		p, f := futures.New[int](nil)
		won := make([]bool, settlers)
		calls := make([]func(), settlers)
		for i := range calls {
			calls[i] = func() { won[i] = settleAs(p, i) }
		}
		race(calls...)
		v, err := f.Result(t.Context())

		winner := -1
		for i, w := range won {
			if w && winner >= 0 {
				t.Fatalf("settlers %d and %d have both won", winner, i)
			} else if w {
				winner = i
			}
		}
		switch said := fmt.Sprintf("settler %d", winner); winner % 4 {
		case 0, 3:
			if v != winner || err != nil {
				t.Fatalf("settler %d won and the result is %v, %v", winner, v, err)
			}
		case 1:
			if err == nil || err.Error() != said {
				t.Fatalf("%s won and the error is %v", said, err)
			}
		case 2:
			if c, ok := errors.AsType[*futures.CancelledError](err); !ok || c.Cause.Error() != said {
				t.Fatalf("%s won and the error is %v", said, err)
			}
		default:
			t.Fatalf("no settler won, and the result is %v, %v", v, err)
		}
	}
}

// settleAs settles p in one of four ways, with a result that names i.
func settleAs(p futures.Promise[int], i int) bool {
	switch i % 4 {
	case 0:
		p.Start()
		return p.Succeed(i)
	case 1:
		return p.Fail(fmt.Errorf("settler %d", i))
	case 2:
		return p.Cancel(fmt.Errorf("settler %d", i))
	default:
		p.Future().State()
		return p.Succeed(i)
	}
}

// Whoever sees the state settled sees Done closed, and the reverse.
func TestStateAndDoneAgree(t *testing.T) {
	for range 5000 {
		p, f := futures.New[int](nil)
		done := f.Done()
		race(
			func() { p.Succeed(1) },
			func() {
				for !f.State().Settled() {
					runtime.Gosched()
				}
				if !isClosed(done) {
					t.Error("settled, and Done is open")
				}
			},
			func() {
				<-done
				if s := f.State(); !s.Settled() {
					t.Errorf("Done is closed, and the state %v", s)
				}
			},
		)
	}
}

// Work is either withdrawn, and then never begins, or it runs and leaves its
// result. All who cancel at the same time are told the same.
func TestCancelAgainstBegin(t *testing.T) {
	for range 3000 {
		j := new(job)
		p, f := futures.New[int](j)
		told := make([]bool, 3)
		race(
			func() { told[0] = f.Cancel() },
			func() { told[1] = f.Cancel() },
			func() { told[2] = f.Cancel() },
			func() { f.State() },
			func() {
				if j.begin() {
					p.Start()
					p.Succeed(1)
				}
			},
		)
		_, err := f.Result(t.Context())
		cancelled := errors.Is(err, futures.ErrCancelled)
		for _, said := range told {
			if said != cancelled {
				t.Fatalf("Cancel said %v, and the error is %v", told, err)
			}
		}
		if cancelled != (j.stage.Load() == withdrawn) {
			t.Fatalf("error %v, and the work is in stage %d", err, j.stage.Load())
		}
	}
}

// Without a control the promise alone decides: either Start finds it pending, or
// Cancel does.
func TestCancelAgainstStart(t *testing.T) {
	for range 10_000 {
		p, f := futures.New[int](nil)
		var started, cancelled bool
		race(func() { started = p.Start() }, func() { cancelled = f.Cancel() })
		if started == cancelled {
			t.Fatalf("started: %t, cancelled: %t", started, cancelled)
		}
	}
}

// However adding races with settling, each callback is called exactly once.
func TestCallbacksAgainstSettle(t *testing.T) {
	const rounds, adders = 500, 4
	for range rounds {
		p, f := futures.New[int](nil)
		called := make(chan int, 2*adders)
		calls := []func(){func() { p.Succeed(1) }}
		for i := range adders {
			calls = append(calls, func() { f.OnDone(func(*futures.Future[int]) { called <- i }) })
		}
		race(calls...)
		got := make([]int, adders)
		for i := range got {
			got[i] = <-called
		}
		slices.Sort(got)
		if !slices.Equal(got, []int{0, 1, 2, 3}) || len(called) > 0 {
			t.Fatalf("called %v, and %d more", got, len(called))
		}
	}
}

// What had settled when ctx ended is yielded, however the two race.
func TestSettledComesBeforeTheEndOfContext(t *testing.T) {
	for range 3000 {
		ps, fs := pending(3)
		ctx, cancel := context.WithCancel(t.Context())
		c := futures.NewCompletion(ctx, slices.Values(fs))
		race(
			func() { ps[0].Succeed(1) },
			func() {
				for !fs[0].State().Settled() { // Succeed may not have returned
					runtime.Gosched()
				}
				cancel()
			},
			func() {
				if got := slices.Collect(c.All()); !slices.Equal(got, fs[:1]) {
					t.Errorf("yielded %d futures", len(got))
				}
			},
		)
		if u, ok := errors.AsType[*futures.UnfinishedError](c.Err()); !ok || u.Unfinished != 2 {
			t.Fatalf("error %v", c.Err())
		}
	}
}

// Many settle from many goroutines under several readers, some of which leave
// early: each reader gets each future at most once, and the tally is right.
func TestAsCompletedHammer(t *testing.T) {
	const rounds, n, settlers, readers = 15, 400, 4, 4
	for round := range rounds {
		ps, fs := pending(n)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		for s := range settlers {
			group.Go(func() {
				for i := s; i < n; i += settlers {
					ps[i].Succeed(i)
					if i == n/2 && round%2 == 0 {
						cancel()
					}
				}
			})
		}
		for r := range readers {
			group.Go(func() {
				c := futures.NewCompletion(ctx, slices.Values(fs))
				seen := make(map[*futures.Future[int]]bool)
				for f := range c.All() {
					if seen[f] || !f.State().Settled() {
						t.Errorf("yielded twice, or unsettled: %v", f.State())
					}
					seen[f] = true
					if r == 0 && len(seen) == n/3 {
						return
					}
				}
				missing := n - len(seen)
				u, ended := errors.AsType[*futures.UnfinishedError](c.Err())
				if ended != (missing > 0) || ended && u.Unfinished != missing {
					t.Errorf("%d futures are missing, and the error is %v", missing, c.Err())
				}
			})
		}
		group.Wait()
		cancel()
	}
}

// PY-W-8: however many settle at the same time, whoever waits for all is woken.
func TestSimultaneousCompletionsLoseNoWakeUp(t *testing.T) {
	const rounds, n = 50, 100
	for range rounds {
		ps, fs := pending(n)
		begin := make(chan struct{})
		var group sync.WaitGroup
		for _, p := range ps {
			group.Go(func() { <-begin; p.Succeed(1) })
		}
		group.Go(func() {
			close(begin)
			done, unsettled, err := futures.Wait(t.Context(), fs, futures.AllCompleted)
			if len(done) != n || len(unsettled) != 0 || err != nil {
				t.Errorf("%d done, %d pending, error %v", len(done), len(unsettled), err)
			}
		})
		group.Wait()
	}
}
