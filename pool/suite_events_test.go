package pool_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// recording is what a listener has heard, which reads as fast as it can.
type recording struct {
	mu     sync.Mutex
	events []pool.Event
	ended  chan struct{}
}

// record listens to a pool from now on, until it is closed or the test ends.
func record(t testing.TB, p pool.Pool) *recording {
	r := &recording{ended: make(chan struct{})}
	events := p.Events(t.Context())
	go func() {
		defer close(r.ended)
		for event := range events {
			r.mu.Lock()
			r.events = append(r.events, event)
			r.mu.Unlock()
		}
	}()
	return r
}

// soFar returns what was heard until now.
func (r *recording) soFar() []pool.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events[:len(r.events):len(r.events)]
}

// whole returns everything, once the pool has ended.
func (r *recording) whole(t testing.TB) []pool.Event {
	t.Helper()
	select {
	case <-r.ended:
	case <-time.After(patience):
		t.Fatal("the events have not ended")
	}
	return r.soFar()
}

// of returns those events that are of type E.
func of[E pool.Event](events []pool.Event) (found []E) {
	for _, event := range events {
		if e, ok := event.(E); ok {
			found = append(found, e)
		}
	}
	return found
}

// hears waits until an event of type E was heard that is like that.
func hears[E pool.Event](t testing.TB, r *recording, like func(E) bool) (heard E) {
	t.Helper()
	eventually(t, "the event is heard", func() bool {
		for _, e := range of[E](r.soFar()) {
			if like(e) {
				heard = e
				return true
			}
		}
		return false
	})
	return heard
}

func shut(t testing.TB, p pool.Pool) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestEvents(t *testing.T) {
	overKinds(t, "of tasks: begun, settled, each once", func(t *testing.T, open opener) {
		const n = 100
		p := open(t, pool.Config{Workers: 2})
		r := record(t, p)
		doubled(t, submit(t, p, n))
		_, err := result(t, fail.Submit(t.Context(), p, "out of luck"))
		shut(t, p)
		attempts := make(map[uint64]int)
		for _, e := range of[pool.TaskBegun](r.whole(t)) {
			if attempts[e.Job]++; e.Attempt != 1 || e.Worker == 0 || e.Task == "" || e.Time.IsZero() {
				t.Errorf("got %+v", e)
			}
		}
		settled := make(map[uint64]error)
		for _, e := range of[pool.TaskSettled](r.whole(t)) {
			if _, twice := settled[e.Job]; twice || attempts[e.Job] != 1 || e.Attempt != 1 || e.Worker == 0 || e.Elapsed <= 0 {
				t.Errorf("got %+v", e)
			}
			settled[e.Job] = e.Err
		}
		if len(settled) != n+1 || settled[1] != nil || settled[n] != nil || settled[n+1] != err || err == nil {
			t.Errorf("%d are settled, the last one with %v", len(settled), settled[n+1])
		}
	})

	overKinds(t, "of a task that was cancelled", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1})
		r := record(t, p)
		if !echo.Submit(t.Context(), p, "").Cancel() {
			t.Fatal("it was not cancelled")
		}
		g.open()
		shut(t, p)
		e := of[pool.TaskSettled](r.whole(t))[0]
		if !errors.Is(e.Err, futures.ErrCancelled) || e.Attempt != 0 || e.Worker != 0 || e.Task != "echo" || e.Job != 2 {
			t.Errorf("got %+v", e)
		}
		if begun := of[pool.TaskBegun](r.whole(t)); len(begun) > 1 {
			t.Errorf("got %v", begun)
		}
	})

	overKinds(t, "of workers: started, ready, exited, each once", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2, Grace: pool.NoGrace})
		r := record(t, p)
		timeout := failure[*pool.TimeoutError](t, sleepOn.Submit(t.Context(), p, 2*time.Second, pool.WithTimeout(20*time.Millisecond)))
		doubled(t, submit(t, p, 100))
		shut(t, p)
		cause := make(map[int]actors.CauseKind)
		for _, e := range of[pool.WorkerExited](r.whole(t)) {
			if _, twice := cause[e.Worker]; twice {
				t.Errorf("worker %d has ended twice", e.Worker)
			}
			cause[e.Worker] = e.Cause.Kind
		}
		if cause[timeout.Worker] != actors.CauseDeadline {
			t.Errorf("worker %d has ended: %v", timeout.Worker, cause[timeout.Worker])
		}
		if got := uint64(len(cause)); got != p.Stats().Started {
			t.Errorf("%d workers have ended, of %d", got, p.Stats().Started)
		}
		for _, e := range of[pool.WorkerReady](r.whole(t)) {
			if cause, ended := cause[e.Worker]; !ended {
				t.Errorf("%v, and then: %v", e, cause)
			}
		}
	})

	overKinds(t, "that a task has begun is told while it runs", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		r := record(t, p)
		before := time.Now()
		hold.Submit(t.Context(), p, g.address())
		e := hears(t, r, func(e pool.TaskBegun) bool { return e.Task == "hold" })
		if e.Time.Before(before) || e.Time.After(time.Now()) {
			t.Errorf("it began %v after it was submitted", e.Time.Sub(before))
		}
	})

	overKinds(t, "a slow listener loses some, is told so, and harms nobody", func(t *testing.T, open opener) {
		const n = 10_000
		p := open(t, pool.Config{Workers: 2})
		slow, r := p.Events(t.Context()), record(t, p)
		doubled(t, submit(t, p, n))
		shut(t, p)
		var slowly []pool.Event
		for event := range slow {
			slowly = append(slowly, event)
		}
		kept := len(slowly) - 1
		if lost, ok := slowly[kept].(pool.EventsLost); !ok || kept != 4096 || lost.Count+kept != heard(r.whole(t)) {
			t.Errorf("%d were kept, and then: %v; the other listener was told of %d", kept, slowly[kept], heard(r.whole(t)))
		}
	})

	overKinds(t, "end with their context", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		ctx, cancel := context.WithCancel(t.Context())
		events := p.Events(ctx)
		returned := background(t, func() error { return drain(events) })
		cancel()
		if err := returned(); err != nil {
			t.Error(err)
		}
		doubled(t, submit(t, p, 1))
		for event := range p.Events(ctx) {
			t.Errorf("got %v", event)
		}
	})

	overKinds(t, "end with the pool, and with their loop", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		left := p.Events(t.Context())
		doubled(t, submit(t, p, 10))
		for range left {
			break
		}
		shut(t, p)
		for _, events := range []iter.Seq[pool.Event]{left, p.Events(t.Context())} {
			if err := drain(events); err != nil {
				t.Error(err)
			}
		}
	})

	overKinds(t, "of each item of a map, be it cancelled", func(t *testing.T, open opener) {
		for _, yielded := range []int{1000, 500} {
			p := open(t, pool.Config{Workers: 2})
			r := record(t, p)
			n := 0
			for range double.Map(t.Context(), p, slices.Values(make([]int, 1000)), pool.WithChunkSize(100)) {
				if n++; n == yielded {
					break
				}
			}
			shut(t, p)
			items := make(map[int]uint64)
			for _, e := range of[pool.TaskSettled](r.whole(t)) {
				if _, twice := items[e.Item]; twice || uint64(e.Item) != e.Job {
					t.Errorf("got %+v", e)
				}
				items[e.Item] = e.Job
			}
			if s := p.Stats(); uint64(len(items)) != s.Submitted || len(items) < yielded {
				t.Errorf("%d were told, of %+v", len(items), s)
			}
		}
	})

	overKinds(t, "each accepted task is told, whatever ends the pool", func(t *testing.T, open opener) {
		p, _, fs := saturate(t, open, pool.Config{Workers: 2})
		r := record(t, p)
		for range 50 {
			fs = append(fs, failKnown.Submit(t.Context(), p, none{}))
		}
		for i, f := range fs {
			if i%5 == 0 {
				go f.Cancel() // while the pool ends
			}
		}
		if err := p.Shutdown(t.Context(), pool.Kill); err != nil {
			t.Error(err)
		}
		if settled, s := len(of[pool.TaskSettled](r.whole(t))), p.Stats(); uint64(settled) != s.Submitted || s.Settled() != s.Submitted {
			t.Errorf("%d were told, of %+v", settled, s)
		}
	})
}

// drain reads events to their end, and wants none.
func drain(events iter.Seq[pool.Event]) (err error) {
	for event := range events {
		err = errors.New(event.String())
	}
	return err
}

// heard counts events, those included that were lost.
func heard(events []pool.Event) int {
	n := len(events)
	for _, e := range of[pool.EventsLost](events) {
		n += e.Count - 1
	}
	return n
}
