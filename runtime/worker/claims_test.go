package worker

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// Begin and withdraw meet at the same instant, over and over: exactly one of
// them gets the task, and both sides see the same.
func TestClaimRace(t *testing.T) {
	const rounds = 50_000
	table, err := newClaimTable(make([]byte, claimTableSize))
	if err != nil {
		t.Fatal(err)
	}
	var offered, answered atomic.Uint64 // the number of the round
	var begun bool                      // between the two
	now := time.Now()
	done := make(chan struct{})
	go func() { // the worker
		defer close(done)
		for id := uint64(1); id <= rounds; id++ {
			spinUntil(func() bool { return offered.Load() == id })
			begun = table.begin(slotOfRound(id), id, now)
			answered.Store(id)
		}
	}()
	ran := 0
	for id := uint64(1); id <= rounds; id++ {
		slot := slotOfRound(id)
		table.offer(slot, id)
		offered.Store(id)
		for range id % 32 { // so that now the one comes first and now the other
			offered.Load()
		}
		withdrawn := table.withdraw(slot, id)
		spinUntil(func() bool { return answered.Load() == id })
		if at, told := table.begun(slot, id); begun == withdrawn || told != begun || told && !at.Equal(now) {
			t.Fatalf("round %d: begun %t, told as %t at %v, and taken back %t", id, begun, told, at, withdrawn)
		}
		if table.withdraw(slot, id) || table.begin(slot, id, now) {
			t.Fatalf("round %d: decided twice", id)
		}
		if begun {
			ran++
		}
	}
	<-done
	t.Logf("%d of %d ran", ran, rounds)
}

// spinUntil waits for what another processor is about to do.
func spinUntil(condition func() bool) {
	for n := 0; !condition(); n++ {
		if n > 1000 {
			runtime.Gosched() // there is but one, or it does something else
		}
	}
}

func slotOfRound(id uint64) uint16 { return uint16(id * 7 % Slots) }

// A stale frame for a slot that is used again claims nothing.
func TestStaleClaim(t *testing.T) {
	table, err := newClaimTable(make([]byte, claimTableSize))
	if err != nil {
		t.Fatal(err)
	}
	table.offer(3, 1)
	if !table.withdraw(3, 1) {
		t.Fatal("nobody had begun it")
	}
	table.offer(3, 2)
	if table.begin(3, 1, time.Now()) || table.withdraw(3, 1) {
		t.Error("task 1 claimed the slot of task 2")
	}
	if _, begun := table.begun(3, 1); begun {
		t.Error("task 1 has begun")
	}
	if !table.begin(3, 2, time.Now()) || table.withdraw(3, 2) {
		t.Error("task 2 could not begin")
	}
	if _, err := newClaimTable(make([]byte, claimTableSize-1)); err == nil {
		t.Error("a table that is too small passes")
	}
}
