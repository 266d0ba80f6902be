package worker

import (
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"
)

// Slots is how many tasks can be with one worker at a time: the running one and
// those sent ahead.
const Slots = 256

// claimTable is memory that the host and one worker share. Each
// slot holds the claim on one task: a single word, taken from offered either by
// the worker, which thereby begins the task, or by the host, which thereby takes
// it back. One compare-and-swap decides, so a task that was taken back never
// runs, a task that began is never thought not to have, whoever dies at whatever
// instant; and taking back needs no answer from a worker that may be hung.
//
//	          ┌── worker: begin ────► begun(id)
//	offered(id)
//	          └── host: withdraw ───► withdrawn(id)
//
// The word carries the task's number on this channel, which is never used
// twice, so that a stale frame for a slot used again claims nothing.
//
// A chunk of items is claimed as a whole like a task, by its first item. From
// then on its span decides for each item: the worker begins the next one, the
// host takes back from the end, both by a compare-and-swap of that word.
//
// A hostile worker can write what it likes here. All that it gains is to lie
// about its own tasks, which it could do as well over the channel.
type claimTable struct {
	mapping []byte
	*claims
	clock monotonicClock
}

// claims is what that memory holds.
type claims struct {
	slots [Slots]claim
	sign  atomic.Int64 // of life, the running task's last: monotonic nanoseconds, by the worker
}

type claim struct {
	word  atomic.Uint64 // number<<2 | state
	begun atomic.Int64  // monotonic nanoseconds; written by the worker before it claims
	span  atomic.Uint64 // of a chunk: the items that are not begun, from next to end: next<<32 | end
}

const claimTableSize = int(unsafe.Sizeof(claims{}))

const (
	claimOffered = iota + 1
	claimBegun
	claimWithdrawn
)

func newClaimTable(mapping []byte) (*claimTable, error) {
	if len(mapping) < claimTableSize {
		return nil, fmt.Errorf("claim table of %d bytes, need %d", len(mapping), claimTableSize)
	}
	return &claimTable{
		mapping: mapping,
		claims:  (*claims)(unsafe.Pointer(unsafe.SliceData(mapping))),
		clock:   newMonotonicClock(),
	}, nil
}

// offer puts a task up for the worker to begin. Host only; the slot is free.
func (t *claimTable) offer(slot uint16, id uint64) {
	t.slots[slot].word.Store(id<<2 | claimOffered)
}

// withdraw takes an offered task back; false if the worker has begun it. Host
// only.
func (t *claimTable) withdraw(slot uint16, id uint64) bool {
	return t.slots[slot].word.CompareAndSwap(id<<2|claimOffered, id<<2|claimWithdrawn)
}

// begun tells whether the worker has begun the task, and when. Host only.
func (t *claimTable) begun(slot uint16, id uint64) (time.Time, bool) {
	c := &t.slots[slot]
	if c.word.Load() != id<<2|claimBegun {
		return time.Time{}, false
	}
	return t.clock.time(c.begun.Load()), true
}

// begin claims a task for running; false if the host took it back. Worker only,
// by its one runner.
func (t *claimTable) begin(slot uint16, id uint64, now time.Time) bool {
	c := &t.slots[slot]
	if c.word.Load() != id<<2|claimOffered {
		return false
	}
	c.begun.Store(t.clock.nanoseconds(now))
	return c.word.CompareAndSwap(id<<2|claimOffered, id<<2|claimBegun)
}

// live notes a sign of life of the running task. Worker only.
func (t *claimTable) live(now time.Time) { t.sign.Store(t.clock.nanoseconds(now)) }

// lastSign is when a task of the worker has last given a sign of life. Host only.
func (t *claimTable) lastSign() time.Time { return t.clock.time(t.sign.Load()) }

// offerChunk is offer for so many items.
func (t *claimTable) offerChunk(slot uint16, id uint64, items int) {
	t.slots[slot].span.Store(uint64(items))
	t.offer(slot, id)
}

// span tells which items of a chunk are not begun: from next to end. Host only.
func (t *claimTable) span(slot uint16) (next, end int) { return unpack(t.slots[slot].span.Load()) }

func unpack(span uint64) (next, end int) { return int(span >> 32), int(uint32(span)) }

// shorten takes up to n items of a chunk back, from the end, where end is as the
// host knows it, and returns how many: fewer if the worker has begun the others.
// Host only.
func (t *claimTable) shorten(slot uint16, end, n int) int {
	span := &t.slots[slot].span
	for {
		old := span.Load()
		next, written := unpack(old)
		n = min(n, end-next)
		if written != end || n <= 0 {
			return 0
		}
		if span.CompareAndSwap(old, old-uint64(n)) {
			return n
		}
	}
}

// beginItem claims the next item of a chunk for running; false if there is none.
// Worker only, by its one runner.
func (t *claimTable) beginItem(slot uint16) bool {
	span := &t.slots[slot].span
	for {
		old := span.Load()
		next, end := unpack(old)
		if next >= end {
			return false
		}
		if span.CompareAndSwap(old, old+1<<32) {
			return true
		}
	}
}

// timeItem notes when the next item of a chunk begins, before it is claimed.
// Worker only.
func (t *claimTable) timeItem(slot uint16, now time.Time) {
	t.slots[slot].begun.Store(t.clock.nanoseconds(now))
}
