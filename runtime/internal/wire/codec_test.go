package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// record has a field of every sort that an argument commonly has.
type record struct {
	Flag   bool
	Signed int64
	Count  uint64
	Ratio  float64
	Text   string
	Bytes  []byte
	List   []int32
	Table  map[string]float32
	Next   *record
	Since  time.Time
	hidden int
}

func records(depth int) *rapid.Generator[record] {
	return rapid.Custom(func(t *rapid.T) record {
		r := record{
			Flag:   rapid.Bool().Draw(t, "flag"),
			Signed: rapid.Int64().Draw(t, "signed"),
			Count:  rapid.Uint64().Draw(t, "count"),
			Ratio:  rapid.Float64().Draw(t, "ratio"),
			Text:   rapid.String().Draw(t, "text"),
			Bytes:  rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"),
			List:   rapid.SliceOf(rapid.Int32()).Draw(t, "list"),
			Table:  rapid.MapOf(rapid.String(), rapid.Float32()).Draw(t, "table"),
			Since:  time.Unix(rapid.Int64Range(0, 1<<37).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC(),
		}
		if depth > 0 && rapid.Bool().Draw(t, "next") {
			next := records(depth-1).Draw(t, "record")
			r.Next = &next
		}
		return r
	})
}

func TestCodecRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := records(3).Draw(t, "record")
		data, err := wire.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		var got record
		if err := wire.Unmarshal(data, &got); err != nil || !reflect.DeepEqual(got, value) {
			t.Fatalf("%+v became %+v, %v", value, got, err)
		}
	})
}

// Nil and empty containers stay what they are, and so do special numbers.
func TestCodecEdges(t *testing.T) {
	for name, value := range map[string]any{
		"nil slice":    []int(nil),
		"empty slice":  []int{},
		"nil map":      map[string]int(nil),
		"empty map":    map[string]int{},
		"nil bytes":    []byte(nil),
		"empty bytes":  []byte{},
		"nil pointer":  (*int)(nil),
		"infinity":     math.Inf(-1),
		"largest":      uint64(math.MaxUint64),
		"smallest":     int64(math.MinInt64),
		"not a text":   "\xff\xfe",
		"empty struct": struct{}{},
		"duration":     time.Duration(math.MinInt64),
		"nanoseconds":  time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC),
		"array":        [3]int{1, 2, 3},
		"unexported":   record{hidden: 0},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := wire.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			got := reflect.New(reflect.TypeOf(value))
			if err := wire.Unmarshal(data, got.Interface()); err != nil || !reflect.DeepEqual(got.Elem().Interface(), value) {
				t.Errorf("%#v became %#v, %v", value, got.Elem(), err)
			}
		})
	}
}

// What cannot be encoded so that the other side takes it is refused on this one.
func TestMarshalRefused(t *testing.T) {
	for name, value := range map[string]any{
		"channel":         make(chan int),
		"function":        func() {},
		"complex":         1i,
		"inside a struct": struct{ C chan int }{make(chan int)},
		"big integer":     big.NewInt(1),
		"big, beyond int": new(big.Int).Lsh(big.NewInt(1), 100),
	} {
		t.Run(name, func(t *testing.T) {
			if data, err := wire.Marshal(value); err == nil {
				t.Errorf("encoded as % x", data)
			}
		})
	}
}

// claim is the head of an array (0x80), map (0xa0), text (0x60) or byte string
// (0x40) of n elements, in the widest form (RFC 8949, section 3).
func claim(major byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{major | 27}, n)
}

// SEC-4: decode bombs are refused, and cost no memory beyond a small multiple of
// their own.
func TestDecodeBombs(t *testing.T) {
	kibibyte := func(head []byte) []byte { return append(head, make([]byte, 1<<10-len(head))...) }
	deep := func(opener string, n int) []byte { return []byte(strings.Repeat(opener, n) + "\x00") }
	bombs := map[string][]byte{
		"array of 2^31":           kibibyte(claim(0x80, 1<<31)),
		"array of 2^31-1":         kibibyte(claim(0x80, 1<<31-1)),
		"array of 2^32-1":         kibibyte(claim(0x80, 1<<32-1)),
		"array of 2^63-1":         kibibyte(claim(0x80, 1<<63-1)),
		"array of 2^64-1":         kibibyte(claim(0x80, math.MaxUint64)),
		"array of 2^27":           kibibyte(claim(0x80, 1<<27)),
		"array of 1024":           kibibyte(claim(0x80, 1024)),
		"map of 2^31":             kibibyte(claim(0xa0, 1<<31)),
		"map of 2^63-1":           kibibyte(claim(0xa0, 1<<63-1)),
		"map of 2^27":             kibibyte(claim(0xa0, 1<<27)),
		"text of 2^31":            kibibyte(claim(0x60, 1<<31)),
		"text of 2^63-1":          kibibyte(claim(0x60, 1<<63-1)),
		"bytes of 2^32-1":         kibibyte(claim(0x40, 1<<32-1)),
		"bytes of 2^63-1":         kibibyte(claim(0x40, 1<<63-1)),
		"bytes of 2^64-1":         kibibyte(claim(0x40, math.MaxUint64)),
		"nesting of 10^6 arrays":  deep("\x81", 1_000_000),
		"nesting of 10^6 maps":    deep("\xa1\x00", 1_000_000),
		"nesting of 10^6 tags":    deep("\xc1", 1_000_000),
		"nesting of 33":           deep("\x81", 33),
		"nested indefinite":       deep("\x9f", 1_000_000),
		"indefinite array":        []byte("\x9f\x01\xff"),
		"indefinite text":         []byte("\x7f\x61a\xff"),
		"the same key twice":      []byte("\xa2\x61a\x01\x61a\x02"),
		"the same number twice":   []byte("\xa2\x01\x01\x18\x01\x02"),
		"tag 0, a time":           append([]byte("\xc0\x74"), "2013-03-21T20:04:00Z"...),
		"tag 2, a big integer":    append([]byte("\xc2\x59\x03\xe8"), make([]byte, 1000)...),
		"tag of 2^64-1":           append(claim(0xc0, math.MaxUint64), 0),
		"something after it":      []byte("\x01\x01"),
		"nothing":                 {},
		"reserved form":           {0x1c},
		"a break without a start": {0xff},
	}
	targets := map[string]func() any{
		"any":     func() any { return new(any) },
		"numbers": func() any { return new([]int64) },
		"table":   func() any { return new(map[string]int) },
		"record":  func() any { return new(record) },
		"text":    func() any { return new(string) },
		"bytes":   func() any { return new([]byte) },
		"array":   func() any { return new([1 << 20]byte) },
	}
	for name, bomb := range bombs {
		t.Run(name, func(t *testing.T) {
			for kind, target := range targets {
				into := target()
				within(t, 32<<10+4*len(bomb), func() {
					if err := wire.Unmarshal(bomb, into); err == nil {
						t.Errorf("it passes as %s", kind)
					}
				})
			}
		})
	}
}

// A nesting of 32 is what passes, and it passes both ways.
func TestNesting(t *testing.T) {
	for depth, passes := range map[int]bool{1: true, 32: true, 33: false, 1000: false} {
		var value any = 0
		for range depth {
			value = []any{value}
		}
		data, err := wire.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := wire.Unmarshal(data, &got); (err == nil) != passes {
			t.Errorf("a nesting of %d: %v", depth, err)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(claim(0x80, 1<<31))
	f.Add([]byte("\xa2\x61a\x01\x61a\x02"))
	f.Add([]byte("\x81\x81\x81\x00"))
	f.Add(bytes.Repeat([]byte{0x81}, 1000))
	seed, err := wire.Marshal(record{Text: "text", List: []int32{1, 2}, Table: map[string]float32{"a": 1}, Next: &record{}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		// The largest multiple is that of a map: two bytes make a pair of interfaces.
		within(t, 64<<10+200*len(data), func() {
			var value any
			if wire.Unmarshal(data, &value) != nil {
				return
			}
			var again any
			encoded, err := wire.Marshal(value)
			var refused *cbor.UnsupportedTypeError
			if errors.As(err, &refused) && refused.Type == reflect.TypeFor[big.Int]() {
				return // an integer below all of Go's: nobody here sends one, and it harms nobody
			}
			if err != nil {
				t.Errorf("% x was decoded and cannot be encoded: %v", data, err)
			} else if err := wire.Unmarshal(encoded, &again); err != nil {
				t.Errorf("% x was decoded, and encoded as % x: %v", data, encoded, err)
			}
		})
		within(t, 64<<10+200*len(data), func() {
			var r record
			_ = wire.Unmarshal(data, &r)
		})
	})
}
