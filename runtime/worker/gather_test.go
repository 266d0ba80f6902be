package worker

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// resultFrame is a result as the worker notes it.
func resultFrame(id uint64, value ...byte) []byte {
	h := wire.Header{Kind: wire.KindValue, Slot: uint16(id % Slots), ID: id}
	return append(wire.AppendResultHead(nil, h, time.Microsecond, len(value)), value...)
}

// The results of single tasks are read as they were noted; what is none ends the
// reading, and what is of a chunk is not looked at.
func TestNotedResults(t *testing.T) {
	j := journalIn(make([]byte, sharedSize))
	good := slices.Concat(resultFrame(7, 1), resultFrame(8, 2, 2))
	skipped := wire.AppendFrame(nil, wire.Header{Kind: wire.KindSkipped, Slot: 9, ID: 9}, nil)
	for name, c := range map[string]struct {
		id     uint64
		data   []byte
		length int // more than the data; 0: as it is
		want   int // results
	}{
		"two":                 {0, good, 0, 2},
		"nothing":             {0, nil, 0, 0},
		"one that is none":    {0, slices.Concat(good, skipped), 0, 3},
		"of a chunk":          {7, good, 0, 0},
		"behind what is none": {0, slices.Concat(good, wire.AppendFrame(nil, wire.Header{Kind: wire.KindQuit, ID: 9}, nil), resultFrame(9, 1)), 0, 2},
		"a piece of one":      {0, slices.Concat(good, resultFrame(9, 1)[:20]), 0, 2},
		"a piece of a head":   {0, slices.Concat(good, []byte{1, 2, 3}), 0, 2},
		"zeros behind":        {0, good, len(good) + 100, 2},
		"beyond the end":      {0, good, journalSize + 1, 0},
		"negative":            {0, good, -1, 0},
		"a slot of nobody":    {0, slices.Concat(good, wire.AppendFrame(nil, wire.Header{Kind: wire.KindSkipped, Slot: 65535, ID: 9}, nil)), 0, 2},
		"a kind of the host":  {0, slices.Concat(good, wire.AppendFrame(nil, wire.Header{Kind: wire.KindQuit, ID: 9}, nil)), 0, 2},
	} {
		clear(j.data[:1<<10])
		copy(j.data[:], c.data)
		length := c.length
		if length == 0 {
			length = len(c.data)
		}
		j.id.Store(c.id)
		j.length.Store(uint64(length))
		got := j.readResults()
		if len(got) != c.want || c.want >= 2 && (got[0].ID != 7 || !bytes.Equal(got[0].Value, []byte{1}) || got[1].ID != 8 || got[1].Slot != 8) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Whatever a worker writes into the journal, reading it harms nobody.
func TestNotedResultsOfALiar(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	j := journalIn(make([]byte, sharedSize))
	for range 20_000 {
		var data []byte
		for id := range uint64(random.IntN(5)) {
			data = append(data, resultFrame(id, make([]byte, random.IntN(40))...)...)
		}
		for range random.IntN(4) {
			if len(data) > 0 {
				data[random.IntN(len(data))] = byte(random.Uint32())
			}
		}
		copy(j.data[:], data)
		j.length.Store(uint64(len(data) + random.IntN(3)))
		for _, r := range j.readResults() {
			if r.Slot >= Slots || r.Elapsed < 0 {
				t.Fatalf("%x gives %+v", data, r)
			}
		}
	}
}

// Each result is sent once and in order, whoever sends it: the runner because
// enough have gathered or the journal is full, the timer, or somebody who has
// something else to say. And at each moment the host can read all that is not sent.
func TestGather(t *testing.T) {
	j := journalIn(make([]byte, sharedSize))
	var sent []byte // by the journalist's lock
	l := newJournalist(j, 1<<20, func(pieces ...[]byte) {
		for _, p := range pieces {
			sent = append(sent, p...)
		}
	})
	resultsIn := func(frames []byte) (ids []uint64) {
		for len(frames) > 0 {
			h, _, rest, err := wire.CutFrame(frames, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			ids, frames = append(ids, h.ID), rest
		}
		return ids
	}
	random := rand.New(rand.NewPCG(3, 4))
	const n = 5000
	begin := time.Now()
	for id := uint64(1); id <= n; id++ {
		l.gather(begin.Add(time.Duration(random.IntN(200)) * time.Microsecond))
		l.add(resultFrame(id, make([]byte, random.IntN(30_000)/(1+random.IntN(1000)))...), begin)
		switch random.IntN(10) {
		case 0:
			l.flush()
		case 1:
			l.tell()
		}
		l.mu.Lock()
		told := resultsIn(sent)
		sent = sent[:0]
		noted := j.readResults()
		l.mu.Unlock()
		if len(told) > 0 {
			for i := 1; i < len(told); i++ {
				if told[i] != told[i-1]+1 {
					t.Fatalf("%d was sent after %d", told[i], told[i-1])
				}
			}
		}
		if last := append(told, idsOf(noted)...); len(last) == 0 || last[len(last)-1] != id {
			t.Fatalf("result %d is neither sent nor noted", id)
		}
	}
}

func idsOf(results []Result) (ids []uint64) {
	for _, r := range results {
		ids = append(ids, r.ID)
	}
	return ids
}
