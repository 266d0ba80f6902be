package worker

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// A worker that begins item after item and a host that takes back from the end
// meet: each item is the one's or the other's, and both count the same.
func TestSpanRace(t *testing.T) {
	const rounds, items = 200, 5000
	table, err := newClaimTable(make([]byte, claimTableSize))
	if err != nil {
		t.Fatal(err)
	}
	shared := 0
	for round := range uint64(rounds) {
		slot := slotOfRound(round)
		table.offerChunk(slot, round+1, items)
		begun, taken := 0, 0
		var both sync.WaitGroup
		var there atomic.Int32
		meet := func() {
			there.Add(1)
			spinUntil(func() bool { return there.Load() == 2 })
		}
		both.Go(func() {
			meet()
			for table.beginItem(slot) {
				begun++
			}
		})
		both.Go(func() {
			meet()
			for end := items; ; end = items - taken {
				n := table.shorten(slot, end, 3)
				if taken += n; n == 0 {
					return
				}
			}
		})
		both.Wait()
		next, end := table.span(slot)
		if begun+taken != items || next != begun || end != begun {
			t.Fatalf("round %d: %d begun, %d taken back of %d; the span is %d, %d", round, begun, taken, items, next, end)
		}
		if begun > 0 && taken > 0 {
			shared++
		}
	}
	t.Logf("%d of %d rounds were shared", shared, rounds)
}

// A worker may write anything into the span: nothing is taken back then.
func TestSpanOfALiar(t *testing.T) {
	table, err := newClaimTable(make([]byte, claimTableSize))
	if err != nil {
		t.Fatal(err)
	}
	for name, span := range map[string]uint64{
		"more items than there were":  1<<32 | 20,
		"fewer":                       1<<32 | 5,
		"begun beyond the end":        11<<32 | 10,
		"as many as a word can count": 1<<64 - 1,
	} {
		table.offerChunk(0, 1, 10)
		table.slots[0].span.Store(span)
		if n := table.shorten(0, 10, 4); n != 0 {
			t.Errorf("%s: %d taken back", name, n)
		}
	}
}

// What a worker noted is read if it is of the chunk in question and can be.
func TestNoted(t *testing.T) {
	j := journalIn(make([]byte, sharedSize))
	item := append(wire.Items(nil).Begin(), "result"...)
	item.End(0)
	copy(j.data[:], item)
	for name, c := range map[string]struct {
		id, first, length uint64
		want              int // bytes
	}{
		"an item":          {7, 3, uint64(len(item)), len(item)},
		"of another chunk": {8, 3, uint64(len(item)), 0},
		"nothing":          {7, 3, 0, 0},
		"beyond the end":   {7, 3, journalSize + 1, 0},
		"negative":         {7, 3, 1<<64 - 1, 0},
	} {
		j.id.Store(c.id)
		j.first.Store(c.first)
		j.length.Store(c.length)
		first, items := j.read(7)
		if len(items) != c.want || c.want > 0 && first != 3 {
			t.Errorf("%s: %d bytes from item %d", name, len(items), first)
		}
	}
}

// The journal is never larger than what the host takes in one frame, and each
// result arrives once, whatever its size.
func TestJournalist(t *testing.T) {
	for _, limit := range []int{100, 1 << 10, 1 << 20} {
		var sent []byte
		l := newJournalist(journalIn(make([]byte, sharedSize)), limit, func(pieces ...[]byte) {
			for _, p := range pieces {
				sent = append(sent, p...)
			}
		})
		l.open(wire.Header{Slot: 3, ID: 9}, time.Now())
		sizes := []int{0, 1, 50, 70, 1, 90, 300, 0, 2, 70_000, 5}
		for i, size := range sizes {
			result := append(l.room(), make([]byte, size)...)
			l.note(i, result, i%2 == 1, false)
		}
		l.close()
		got := itemsIn(t, sent)
		if len(got) != len(sizes) {
			t.Fatalf("limit %d: %d results of %d", limit, len(got), len(sizes))
		}
		for i, size := range sizes {
			if len(got[i].data) != size || got[i].failed != (i%2 == 1) {
				t.Errorf("limit %d, item %d: %d bytes, failed %t", limit, i, len(got[i].data), got[i].failed)
			}
		}
	}
}

// noted is an item in a frame.
type noted struct {
	data   []byte
	failed bool
}

// itemsIn returns the items in some frames, of which the last ends the chunk.
func itemsIn(t *testing.T, frames []byte) (all []noted) {
	t.Helper()
	kind := wire.KindItems
	for len(frames) > 0 {
		size := int(binary.LittleEndian.Uint32(frames))
		kind = wire.Kind(frames[4])
		r, count, err := wire.ParseItems(frames[wire.HeaderSize : wire.HeaderSize+size])
		if err != nil {
			t.Fatal(err)
		}
		for items := wire.Items(r.Data); count > 0; count-- {
			data, failed, _ := items.Next()
			all = append(all, noted{data, failed})
		}
		frames = frames[wire.HeaderSize+size:]
	}
	if kind != wire.KindLastItems {
		t.Errorf("the last frame is %v", kind)
	}
	return all
}
