package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// items encodes some values as items.
func items(values ...string) (all wire.Items) {
	for _, v := range values {
		at := len(all)
		all = append(all.Begin(), v...)
		all.End(at)
	}
	return all
}

func TestItems(t *testing.T) {
	all := items("a", "", "three")
	if n, err := all.Count(); n != 3 || err != nil {
		t.Fatalf("%d items, %v", n, err)
	}
	rest := all.Skip(2)
	data, failed, err := rest.Next()
	if string(data) != "three" || failed || err != nil || len(rest) != 0 {
		t.Errorf("%q, %v, %v, %d bytes left", data, failed, err, len(rest))
	}
	wire.PutItemHead(all, 1, true)
	if _, failed, _ := all.Next(); !failed {
		t.Error("the first has not failed")
	}
	if _, err := append(all, 1, 0, 0).Count(); err == nil {
		t.Error("half a head is counted")
	}
	if _, err := append(all, 2, 0, 0, 0, 'x').Count(); err == nil {
		t.Error("half an item is counted")
	}
}

func TestChunk(t *testing.T) {
	all := items("a", "b")
	for name, c := range map[string]struct {
		argument []byte
		count    int // 0: refused
	}{
		"two":      {append(wire.AppendChunkHead(nil, 2), all...), 2},
		"too few":  {append(wire.AppendChunkHead(nil, 3), all...), 0},
		"too many": {append(wire.AppendChunkHead(nil, 1), all...), 0},
		"none":     {wire.AppendChunkHead(nil, 0), 0},
		"2^32-1":   {append(wire.AppendChunkHead(nil, -1), all...), 0},
		"nothing":  {nil, 0},
		"half":     {append(wire.AppendChunkHead(nil, 2), all[:len(all)-1]...), 0},
	} {
		got, count, err := wire.ParseChunk(c.argument)
		var bad *wire.Error
		if count != c.count || (c.count == 0) != errors.As(err, &bad) || c.count > 0 && !bytes.Equal(got, all) {
			t.Errorf("%s: %d items, %v", name, count, err)
		}
	}
}

// FuzzItems: what is no run of items is an error, and what is one is, item by
// item, what it says.
func FuzzItems(f *testing.F) {
	f.Add([]byte(items("a", "", "bcd")))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{1, 0, 0, 0x80, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := wire.Items(data).Count()
		var again wire.Items
		for rest := wire.Items(data); len(rest) > 0; {
			item, failed, e := rest.Next()
			if e != nil {
				if err == nil {
					t.Fatal("counted, and then refused")
				}
				return
			}
			at := len(again)
			again = append(again.Begin(), item...)
			wire.PutItemHead(again[at:], len(item), failed)
			n--
		}
		if err != nil || n != 0 || !bytes.Equal(again, data) {
			t.Errorf("%v; %d too few; % x became % x", err, n, data, again)
		}
	})
}

// FuzzChunkAndResults: the decoders of whole payloads refuse or are consistent.
func FuzzChunkAndResults(f *testing.F) {
	f.Add(append(wire.AppendChunkHead(nil, 2), items("a", "b")...))
	f.Add(wire.AppendItemsHead(nil, wire.Header{}, time.Second, 0)[wire.HeaderSize:])
	f.Fuzz(func(t *testing.T, data []byte) {
		if all, count, err := wire.ParseChunk(data); err == nil {
			if n, err := all.Count(); n != count || err != nil || uint32(n) != binary.LittleEndian.Uint32(data) {
				t.Errorf("%d items, said to be %d, %v", n, count, err)
			}
		}
		if r, count, err := wire.ParseItems(data); err == nil {
			if n, err := wire.Items(r.Data).Count(); n != count || err != nil || r.Elapsed < 0 {
				t.Errorf("%d items, said to be %d, %v", n, count, err)
			}
		}
	})
}
