package wire_test

import (
	"math"
	"testing"

	"github.com/stint-go/stint/runtime/internal/wire"
)

func TestRegion(t *testing.T) {
	const memory, page, limit = 64 << 10, 4 << 10, 32 << 10
	for _, c := range []struct {
		name string
		r    wire.Region
		ok   bool
	}{
		{"one byte", wire.Region{Size: 1}, true},
		{"as much as may be", wire.Region{Index: 3, Offset: page, Size: limit}, true},
		{"up to the end", wire.Region{Index: wire.OfArgument, Offset: memory - page, Size: page}, true},
		{"nothing", wire.Region{}, false},
		{"more than may be", wire.Region{Size: limit + 1}, false},
		{"beyond the end", wire.Region{Offset: memory - page, Size: page + 1}, false},
		{"from the end on", wire.Region{Offset: memory, Size: 1}, false},
		{"far away", wire.Region{Offset: math.MaxUint64 - page + 1, Size: page}, false},
		{"so large that its end is small", wire.Region{Offset: page, Size: math.MaxUint64}, false},
		{"between two pages", wire.Region{Offset: 1, Size: 1}, false},
	} {
		got, err := wire.ParseRegion(wire.AppendRegion(nil, c.r), memory, page, limit)
		if (err == nil) != c.ok || err == nil && got != c.r {
			t.Errorf("%s: got %+v, %v", c.name, got, err)
		}
	}
	for n := range wire.RegionSize + 2 {
		if _, err := wire.ParseRegion(make([]byte, n), memory, page, limit); err == nil {
			t.Errorf("%d zeros are a region", n)
		}
	}
}

// FuzzRegion: whatever a worker says, the bytes that are then looked at are shared
// ones.
func FuzzRegion(f *testing.F) {
	f.Add([]byte(nil), 0, 0)
	f.Add(wire.AppendRegion(nil, wire.Region{Size: 1}), 1<<20, 1<<20)
	f.Add(wire.AppendRegion(nil, wire.Region{Index: wire.OfArgument, Offset: 1 << 63, Size: 1<<63 - 1}), 1<<20, 1<<30)
	f.Add(wire.AppendRegion(nil, wire.Region{Offset: 4096, Size: 4096}), 8192, 4096)
	f.Fuzz(func(t *testing.T, data []byte, memory, limit int) {
		memory, limit = max(0, memory%(1<<20)), max(0, limit)
		r, err := wire.ParseRegion(data, memory, 4096, limit)
		if err != nil {
			return
		}
		shared := make([]byte, memory)
		if got := shared[r.Offset:][:r.Size]; len(got) == 0 || len(got) > limit {
			t.Errorf("%d bytes, limit %d", len(got), limit)
		}
		if string(wire.AppendRegion(nil, r)) != string(data) {
			t.Errorf("% x is read as %+v", data, r)
		}
	})
}
