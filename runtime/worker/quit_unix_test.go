//go:build unix

package worker_test

import (
	"testing"
	"time"
)

// A worker that is asked to leave does what runs, tells its result, and begins
// nothing more; at whatever moment it is asked.
func TestQuit(t *testing.T) {
	for round := range 30 {
		h := serving(t)
		const n = 200
		for range n {
			h.offer("echo", "")
		}
		for id := range uint64(round * 3) {
			h.result(id + 1)
		}
		h.link.Quit(time.Second)
		told := uint64(round * 3)
		for r := range h.results {
			if told++; r.ID != told {
				t.Fatalf("result of %d, want %d", r.ID, told)
			}
		}
		if err := h.awaitClosed(); err != nil {
			t.Errorf("closed with %v", err)
		}
		if state := h.exit(); !state.Success() {
			t.Errorf("it ended with %v; standard error: %s", state, h.link.StderrTail())
		}
		for id := uint64(1); id <= n; id++ {
			if _, begun := h.begun(id); begun != (id <= told) {
				t.Errorf("round %d: task %d has begun: %t; the results ended with %d", round, id, begun, told)
			}
		}
	}
}

// What is asked for before the worker runs is done when it does.
func TestAskedBeforeStart(t *testing.T) {
	h := open(t, config{})
	first, second := h.offer("echo", "first"), h.offer("echo", "second")
	if !h.withdraw(second) {
		t.Error("it has begun")
	}
	h.run(config{})
	if r := h.result(first); string(r.Value) != "first" {
		t.Errorf("result %+v", r)
	}
	if r := h.result(second); !r.Skipped {
		t.Errorf("result %+v", r)
	}

	given := open(t, config{})
	given.link.Quit(time.Second)
	given.run(config{})
	if err := given.awaitClosed(); err != nil {
		t.Errorf("closed with %v", err)
	}
	if state := given.exit(); !state.Success() {
		t.Errorf("it ended with %v; standard error: %s", state, given.link.StderrTail())
	}
}

func TestQuitWhileIdleAndWhileBusy(t *testing.T) {
	idle := serving(t)
	idle.link.Quit(time.Second)
	if state := idle.exit(); !state.Success() {
		t.Errorf("an idle worker ended with %v", state)
	}
	busy := serving(t)
	id := busy.offerFor("wait", "", 50*time.Millisecond)
	busy.awaitBegun(id)
	busy.link.Quit(time.Second)
	if r := busy.result(id); r.Failure != nil {
		t.Errorf("result %+v", r)
	}
	if state := busy.exit(); !state.Success() {
		t.Errorf("a busy worker ended with %v", state)
	}
}
