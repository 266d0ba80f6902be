package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// frame is one frame as a test writes it.
func frame(h wire.Header, payload string) []byte { return wire.AppendFrame(nil, h, []byte(payload)) }

// A frame's layout is what doc.go draws: a change of it changes Version.
func TestLayout(t *testing.T) {
	got := frame(wire.Header{Kind: wire.KindTask, Slot: 0x0201, ID: 0x0807060504030201}, "payload")
	want := "\x07\x00\x00\x00" + "\x03" + "\x00" + "\x01\x02" + "\x01\x02\x03\x04\x05\x06\x07\x08" + "payload"
	if string(got) != want {
		t.Errorf("frame % x\nwant  % x", got, want)
	}
}

func TestKindString(t *testing.T) {
	for kind := wire.KindHello; kind <= wire.KindValueAt; kind++ {
		if s := kind.String(); s == "" || strings.HasPrefix(s, "kind") || strings.HasPrefix(s, "invalid") {
			t.Errorf("kind %d is called %q", kind, s)
		}
	}
	if s := wire.Kind(200).String(); s != "kind 200" {
		t.Errorf("an unknown kind is called %q", s)
	}
}

// What is no frame is refused at its header, by an *Error that names it, and
// costs no memory, whatever it claims. SEC-4: the size is checked before.
func TestHeaderRefused(t *testing.T) {
	good := frame(wire.Header{Kind: wire.KindValue}, "")
	with := func(change func(b []byte)) []byte {
		b := bytes.Clone(good)
		change(b)
		return b
	}
	size := func(n uint32) func([]byte) {
		return func(b []byte) { binary.LittleEndian.PutUint32(b, n) }
	}
	for name, test := range map[string]struct {
		bytes  []byte
		limit  int
		reason string
	}{
		"zeros":                {make([]byte, 1024), 100, "unknown kind 0"},
		"kind beyond the last": {with(func(b []byte) { b[4] = byte(wire.KindValueAt) + 1 }), 100, "unknown kind 21"},
		"reserved byte":        {with(func(b []byte) { b[5] = 7 }), 100, "reserved byte is 7"},
		"one byte too many":    {with(size(101)), 100, "value of 101 bytes is over the limit of 100"},
		"SEC-4 size 2^31":      {with(size(1 << 31)), 1 << 20, "over the limit"},
		"SEC-4 size 2^32-1":    {with(size(math.MaxUint32)), math.MaxInt32, "over the limit"},
		"limit 0":              {with(size(1)), 0, "over the limit of 0"},
		"negative limit":       {good, -1, "over the limit of -1"},
		"text":                 {[]byte("HTTP/1.1 400 Bad Request\r\n"), 100, ""},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, 80<<10, func() {
				_, _, err := wire.NewReader(bytes.NewReader(test.bytes), test.limit).Next()
				var bad *wire.Error
				if !errors.As(err, &bad) || bad.What != "frame" || !strings.Contains(bad.Reason, test.reason) {
					t.Errorf("error %v, want a bad frame with %q", err, test.reason)
				}
			})
		})
	}
}
