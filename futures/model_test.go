package futures_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stint-go/stint/futures"
	"pgregory.net/rapid"
)

// model is what a future must be after any sequence of calls, in the plainest
// terms: no lock, no lists, one caller.
type model struct {
	state futures.State
	stage int32 // of the job
	kills int32
	value int
	err   error
}

// settle says whether a call that settles must win, and has it win.
func (m *model) settle(end futures.State, value int, err error) bool {
	if m.state.Settled() {
		return false
	}
	m.state, m.value, m.err = end, value, err
	return true
}

func (m *model) cancel() bool {
	if m.state == futures.Pending && m.stage == queued {
		m.stage = withdrawn
		m.settle(futures.Cancelled, 0, futures.ErrCancelled)
	}
	return m.state == futures.Cancelled
}

func (m *model) kill() bool {
	if m.cancel() {
		return true
	}
	if m.state.Settled() || m.stage != begun {
		return false
	}
	m.kills++
	return true
}

// TestModel drives a future and its model through the same calls and compares
// every answer, and what can be seen of the two after each.
func TestModel(t *testing.T) {
	past := expired(t)
	rapid.Check(t, func(t *rapid.T) {
		m, j := new(model), new(job)
		p, f := futures.New[int](j)
		var called []chan futures.State // by each callback, with what it saw
		agree := func(t *rapid.T, call string, got, want bool) {
			if got != want {
				t.Fatalf("%s: %t, want %t", call, got, want)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) {
				agree(t, "begin", j.begin(), m.stage == queued)
				if m.stage == queued {
					m.stage = begun
				}
			},
			"start": func(t *rapid.T) {
				agree(t, "Start", p.Start(), m.state == futures.Pending)
				if m.state == futures.Pending {
					m.state = futures.Running
				}
			},
			"succeed": func(t *rapid.T) {
				v := rapid.Int().Draw(t, "value")
				agree(t, "Succeed", p.Succeed(v), m.settle(futures.Succeeded, v, nil))
			},
			"fail": func(t *rapid.T) {
				agree(t, "Fail", p.Fail(errBoom), m.settle(futures.Failed, 0, errBoom))
			},
			"withdraw": func(t *rapid.T) {
				agree(t, "Promise.Cancel", p.Cancel(errBoom), m.settle(futures.Cancelled, 0, errBoom))
			},
			"cancel": func(t *rapid.T) { agree(t, "Cancel", f.Cancel(), m.cancel()) },
			"kill":   func(t *rapid.T) { agree(t, "Kill", f.Kill(), m.kill()) },
			"done":   func(t *rapid.T) { agree(t, "Done", isClosed(f.Done()), m.state.Settled()) },
			"on done": func(t *rapid.T) {
				c := make(chan futures.State, 2) // room for a call too many
				called = append(called, c)
				f.OnDone(func(f *futures.Future[int]) { c <- f.State() })
				agree(t, "called at once", len(c) == 1, m.state.Settled())
			},
			"look": func(t *rapid.T) {
				n := 0
				for range futures.AsCompleted(past, []*futures.Future[int]{f, f}) {
					n++
				}
				agree(t, "yielded", n == 1, m.state.Settled())
			},
			"": func(t *rapid.T) { check(t, past, f, j, m) },
		})
		p.Fail(errBoom)
		for i, c := range called {
			if s := <-c; s != f.State() || len(c) > 0 {
				t.Errorf("callback %d saw %v, and was called %d times more", i, s, len(c))
			}
		}
	})
}

func check(t *rapid.T, past context.Context, f *futures.Future[int], j *job, m *model) {
	if m.state == futures.Pending && m.stage == begun {
		m.state = futures.Running // asking for the state makes it so
	}
	if s := f.State(); s != m.state {
		t.Fatalf("state %v, want %v", s, m.state)
	}
	if stage, kills := j.stage.Load(), j.kills.Load(); stage != m.stage || kills != m.kills {
		t.Fatalf("job in stage %d with %d kills, want %d with %d", stage, kills, m.stage, m.kills)
	}
	v, err := f.Result(past)
	if _, unsettled := errors.AsType[*futures.WaitError](err); unsettled == m.state.Settled() {
		t.Fatalf("result %v, %v in the state %v", v, err, m.state)
	}
	if m.state.Settled() && (v != m.value || !errors.Is(err, m.err)) {
		t.Fatalf("result %v, %v; want %v, %v", v, err, m.value, m.err)
	}
}
