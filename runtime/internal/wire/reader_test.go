package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// pieces is a source that gives its bytes in pieces of these sizes, over and
// over, and counts how often it is asked.
type pieces struct {
	rest  []byte
	sizes []byte // a piece has one byte more
	reads int
}

func (p *pieces) Read(b []byte) (int, error) {
	size := len(b)
	if len(p.sizes) > 0 {
		size = int(p.sizes[p.reads%len(p.sizes)]) + 1
	}
	p.reads++
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(size, len(b))], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// readAll reads frames to the end and asserts of each what a Reader promises:
// that it is what was written, and that Buffered told whether Next reads.
func readAll(t reporter, source *pieces, limit int) (frames int, err error) {
	t.Helper()
	written := source.rest
	r := wire.NewReader(source, limit)
	for ; ; frames++ {
		buffered, reads := r.Buffered(), source.reads
		header, payload, err := r.Next()
		if buffered == (source.reads > reads) {
			t.Fatalf("frame %d: Buffered said %t and Next read %d times", frames, buffered, source.reads-reads)
		}
		if err != nil {
			checkEnd(t, err, written, limit)
			return frames, err
		}
		again := wire.AppendFrame(nil, header, payload)
		if !bytes.HasPrefix(written, again) {
			t.Fatalf("frame %d: % x became %v % x", frames, written[:min(len(written), 40)], header, payload[:min(len(payload), 40)])
		}
		if cap(payload) != len(payload) {
			t.Fatalf("frame %d: what is appended to the payload would overwrite the next frame", frames)
		}
		written = written[len(again):]
	}
}

// checkEnd asserts that err is the one for a stream that goes on with rest.
func checkEnd(t reporter, err error, rest []byte, limit int) {
	t.Helper()
	headed := len(rest) >= wire.HeaderSize
	var size uint64
	good := true
	if headed {
		size = uint64(binary.LittleEndian.Uint32(rest))
		kind := wire.Kind(rest[4])
		named := kind >= wire.KindHello && !strings.HasPrefix(kind.String(), "kind ")
		good = named && rest[5] == 0 && size <= uint64(limit)
	}
	whole := headed && uint64(len(rest)) >= wire.HeaderSize+size
	var bad *wire.Error
	switch {
	case len(rest) == 0 && err == io.EOF:
	case good && len(rest) > 0 && !whole && err == io.ErrUnexpectedEOF:
	case !good && errors.As(err, &bad):
	default:
		t.Fatalf("error %v, with %d bytes left: % x", err, len(rest), rest[:min(len(rest), 40)])
	}
}

// The first byte of the input is how the stream is cut, the second the limit.
func FuzzReader(f *testing.F) {
	value := frame(wire.Header{Kind: wire.KindValue, Slot: 3, ID: 9}, "12345678value")
	skipped := frame(wire.Header{Kind: wire.KindSkipped, Slot: 4, ID: 10}, "")
	input := func(piece, limit byte, stream ...byte) []byte { return append([]byte{piece, limit}, stream...) }
	f.Add([]byte(nil))
	f.Add(input(0, 100, value...))
	f.Add(input(15, 13, append(bytes.Clone(value), skipped...)...))
	f.Add(input(255, 12, value[:20]...))
	f.Add(input(6, 0, bytes.Repeat(skipped, 10)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 {
			return
		}
		piece, limit, stream := data[:1], int(data[1]), data[2:]
		within(t, 128<<10+4*len(stream), func() {
			_, _ = readAll(t, &pieces{rest: stream, sizes: piece}, limit)
		})
	})
}

// Whatever frames are written come out, however the stream is cut.
func TestReaderRoundTrip(t *testing.T) {
	const limit = 1<<20 + 1
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(0, 100), rapid.SampledFrom([]int{
			0, 1, 64<<10 - wire.HeaderSize, 64 << 10, 64<<10 + 1, limit,
		})), 0, 6).Draw(t, "payloads")
		for i, size := range sizes {
			payload := bytes.Repeat([]byte{byte(i)}, size)
			stream = wire.AppendFrame(stream, wire.Header{Kind: wire.KindValue, Slot: uint16(i), ID: uint64(size)}, payload)
		}
		missing := rapid.IntRange(0, min(len(stream), 40)).Draw(t, "bytes missing at the end")
		source := &pieces{rest: stream[:len(stream)-missing]}
		if len(stream) < 200<<10 {
			source.sizes = rapid.SliceOfN(rapid.Byte(), 0, 5).Draw(t, "pieces")
		}
		frames, err := readAll(t, source, limit)
		if missing == 0 && (frames != len(sizes) || err != io.EOF) {
			t.Fatalf("%d frames of %d, then %v", frames, len(sizes), err)
		}
	})
}

// Frames that came together stay valid together, until Next has to read.
func TestPayloadsOfABatch(t *testing.T) {
	var stream []byte
	for i := range 100 {
		stream = wire.AppendFrame(stream, wire.Header{Kind: wire.KindValue}, bytes.Repeat([]byte{byte(i)}, 100))
	}
	r := wire.NewReader(bytes.NewReader(stream), 100)
	var payloads [][]byte
	for ok := true; ok; ok = r.Buffered() {
		_, payload, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, payload)
	}
	if len(payloads) != 100 {
		t.Fatalf("%d of 100 frames came with the first", len(payloads))
	}
	for i, payload := range payloads {
		if !bytes.Equal(payload, bytes.Repeat([]byte{byte(i)}, 100)) {
			t.Errorf("payload %d has changed: % x", i, payload)
		}
	}
}

// A source may return bytes and an error at once, and an error at any time.
func TestReaderSourceErrors(t *testing.T) {
	stream := frame(wire.Header{Kind: wire.KindValue}, "payload")
	broken := errors.New("broken")
	then := func(n int) io.Reader { return io.MultiReader(bytes.NewReader(stream[:n]), iotest.ErrReader(broken)) }
	for name, test := range map[string]struct {
		source io.Reader
		frames int
		want   error
	}{
		"bytes with the end":      {iotest.DataErrReader(bytes.NewReader(stream)), 1, io.EOF},
		"one byte at a time":      {iotest.OneByteReader(bytes.NewReader(stream)), 1, io.EOF},
		"at once":                 {then(0), 0, broken},
		"after a frame":           {then(len(stream)), 1, broken},
		"inside a header":         {then(7), 0, broken},
		"inside a payload":        {then(20), 0, broken},
		"end inside a header":     {bytes.NewReader(stream[:7]), 0, io.ErrUnexpectedEOF},
		"end inside a payload":    {bytes.NewReader(stream[:20]), 0, io.ErrUnexpectedEOF},
		"neither bytes nor error": {idle{}, 0, io.ErrNoProgress},
		"a closed file":           {closedFile(t), 0, os.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			r := wire.NewReader(test.source, 100)
			for range test.frames {
				if _, payload, err := r.Next(); err != nil || string(payload) != "payload" {
					t.Fatal(payload, err)
				}
			}
			if _, _, err := r.Next(); !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func closedFile(t *testing.T) *os.File {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

// SEC-4: a size that is allowed and claimed allocates nothing until the bytes
// come, and then a small multiple of them.
func TestClaimedSizeAllocatesNothing(t *testing.T) {
	claim := wire.AppendHeader(nil, wire.Header{Kind: wire.KindValue, Size: math.MaxInt32 - wire.HeaderSize})
	for _, came := range []int{0, 1 << 10, 1 << 20, 8 << 20} {
		stream := append(bytes.Clone(claim), make([]byte, came)...)
		within(t, 80<<10+4*came, func() {
			if _, _, err := wire.NewReader(bytes.NewReader(stream), math.MaxInt).Next(); err != io.ErrUnexpectedEOF {
				t.Errorf("error %v", err)
			}
		})
	}
}

// The memory for one large frame is not kept for the small ones after it.
func TestLargeBufferIsLetGo(t *testing.T) {
	large := frame(wire.Header{Kind: wire.KindValue}, string(make([]byte, 16<<20)))
	small := frame(wire.Header{Kind: wire.KindSkipped}, "")
	before := heap()
	r := wire.NewReader(io.MultiReader(bytes.NewReader(large), bytes.NewReader(small)), 16<<20)
	for range 2 {
		if _, _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if grown := heap() - before; grown > 2<<20 {
		t.Errorf("the reader holds %d bytes", grown)
	}
	runtime.KeepAlive(r)
	runtime.KeepAlive(large)
}

func heap() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}
