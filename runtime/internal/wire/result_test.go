package wire_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// resultPayload is the payload of a result, as it comes out of a Reader.
func resultPayload(elapsed time.Duration, data string) []byte {
	head := wire.AppendResultHead(nil, wire.Header{Kind: wire.KindValue}, elapsed, len(data))
	return append(head, data...)[wire.HeaderSize:]
}

func TestResultRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		elapsed := time.Duration(rapid.Int64Min(0).Draw(t, "elapsed"))
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		head := wire.Header{Kind: wire.KindValue, Slot: rapid.Uint16().Draw(t, "slot"), ID: rapid.Uint64().Draw(t, "id")}
		stream := append(wire.AppendResultHead(nil, head, elapsed, len(data)), data...)
		header, payload, err := wire.NewReader(bytes.NewReader(stream), len(stream)).Next()
		head.Size = uint32(wire.ResultHeadSize + len(data))
		if err != nil || header != head {
			t.Fatalf("header %v, %v", header, err)
		}
		result, err := wire.ParseResult(payload)
		if err != nil || result.Elapsed != elapsed || !bytes.Equal(result.Data, data) {
			t.Fatalf("%+v, %v", result, err)
		}
	})
}

func TestResultRefused(t *testing.T) {
	for name, test := range map[string]struct {
		payload []byte
		reason  string
	}{
		"nothing":       {nil, "0 bytes is too short"},
		"half a head":   {make([]byte, 7), "7 bytes is too short"},
		"negative time": {resultPayload(-1, "value"), "negative time"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wire.ParseResult(test.payload)
			var bad *wire.Error
			if !errors.As(err, &bad) || bad.What != "result" || !strings.Contains(bad.Reason, test.reason) {
				t.Errorf("error %v, want a bad result with %q", err, test.reason)
			}
		})
	}
}

func FuzzParseResult(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(resultPayload(time.Second, "value"))
	f.Add(resultPayload(-1, ""))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var result wire.Result
		var err error
		within(t, 8<<10, func() { result, err = wire.ParseResult(payload) })
		if err != nil {
			onlyWireError(t, err)
			return
		}
		if again := resultPayload(result.Elapsed, string(result.Data)); !bytes.Equal(again, payload) {
			t.Errorf("% x became % x", payload, again)
		}
	})
}

// failures are all that a worker can have to tell.
func failures() *rapid.Generator[wire.Failure] {
	return rapid.Custom(func(t *rapid.T) wire.Failure {
		return wire.Failure{
			Kind:    rapid.SampledFrom([]wire.FailureKind{wire.FailureError, wire.FailurePanic, wire.FailureGoexit, wire.FailureArgument, wire.FailureResult, wire.FailureUnknown}).Draw(t, "kind"),
			Message: rapid.String().Draw(t, "message"),
			Type:    rapid.String().Draw(t, "type"),
			Stack:   rapid.String().Draw(t, "stack"),
			Is:      rapid.SliceOfN(rapid.String(), 0, -1).Draw(t, "is"),
		}
	})
}

func TestFailureRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		failure := failures().Draw(t, "failure")
		if len(failure.Is) == 0 {
			failure.Is = nil
		}
		data, err := wire.EncodeFailure(failure)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := wire.DecodeFailure(data); err != nil || !reflect.DeepEqual(got, failure) {
			t.Fatalf("%+v became %+v, %v", failure, got, err)
		}
	})
}

// However much a task has to say, its failure fits into MaxFailure bytes, and
// says what is missing.
func TestFailureIsCut(t *testing.T) {
	long := strings.Repeat("é", 1<<20)
	failure := wire.Failure{Kind: wire.FailureError, Message: long, Type: "x" + long, Stack: "xyz" + long}
	for range 1 << 16 {
		failure.Is = append(failure.Is, "io.EOF")
	}
	data, err := wire.EncodeFailure(failure)
	if err != nil || len(data) > wire.MaxFailure {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	got, err := wire.DecodeFailure(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{got.Message, got.Type, got.Stack} {
		if len(text) > 64<<10 || len(text) < 63<<10 || !utf8.ValidString(text) {
			t.Errorf("a text of %d bytes, ending in %q", len(text), text[len(text)-30:])
		}
		if _, end, _ := strings.Cut(text, "… ("); !strings.HasSuffix(end, " more bytes)") {
			t.Errorf("the text ends in %q", text[len(text)-30:])
		}
	}
	if n := len(got.Is); n < 1000 || n > 1<<14 {
		t.Errorf("%d names are left", n)
	}
	if again, err := wire.EncodeFailure(got); err != nil || !bytes.Equal(again, data) {
		t.Errorf("a failure that was cut is cut again: %d bytes, %d before, %v", len(again), len(data), err)
	}
}

// A text that is no text, a wrong encoding of a name, comes through as it is.
func TestFailureOfBytes(t *testing.T) {
	failure := wire.Failure{Kind: wire.FailurePanic, Message: "\xff\xfe\x00", Type: strings.Repeat("\x80", 1<<20)}
	data, err := wire.EncodeFailure(failure)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := wire.DecodeFailure(data); err != nil || got.Message != failure.Message || len(got.Type) > 64<<10 {
		t.Errorf("%q, type of %d bytes, %v", got.Message, len(got.Type), err)
	}
}

func TestFailureRefused(t *testing.T) {
	encode := func(fields map[int]any) []byte {
		data, err := wire.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, test := range map[string]struct {
		data   []byte
		reason string
	}{
		"nothing":                        {nil, "EOF"},
		"no kind":                        {encode(map[int]any{2: "message"}), "unknown kind 0"},
		"kind beyond the last":           {encode(map[int]any{1: 7}), "unknown kind 7"},
		"kind 256":                       {encode(map[int]any{1: 256}), "cannot unmarshal"},
		"a number for a message":         {encode(map[int]any{1: 1, 2: 3}), "cannot unmarshal"},
		"a field twice":                  {[]byte("\xa2\x01\x01\x01\x01"), "duplicate"},
		"SEC-4 names beyond what is cut": {append([]byte("\xa2\x01\x01\x05\x9a\x01\x00\x00\x00"), bytes.Repeat([]byte{0x60}, 1<<24)...), "over the limit"},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, 64<<10, func() {
				_, err := wire.DecodeFailure(test.data)
				var bad *wire.Error
				if !errors.As(err, &bad) || bad.What != "failure" || !strings.Contains(bad.Reason, test.reason) {
					t.Errorf("error %v, want a bad failure with %q", err, test.reason)
				}
			})
		})
	}
}

func FuzzDecodeFailure(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("\xa2\x01\x01\x01\x01"))
	f.Add([]byte("\xa1\x05\x9a\x7f\xff\xff\xff"))
	for _, failure := range []wire.Failure{
		{Kind: wire.FailureError, Message: "no such file", Type: "*fs.PathError", Is: []string{"fs.ErrNotExist"}},
		{Kind: wire.FailurePanic, Message: "boom", Type: "string", Stack: "goroutine 1 [running]:"},
		{Kind: wire.FailureGoexit},
	} {
		data, err := wire.EncodeFailure(failure)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var failure wire.Failure
		var err error
		within(t, 16<<10+64*len(data), func() { failure, err = wire.DecodeFailure(data) })
		if err != nil {
			onlyWireError(t, err)
			return
		}
		encoded, err := wire.EncodeFailure(failure)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := wire.DecodeFailure(encoded); err != nil || again.Message != failure.Message || again.Kind != failure.Kind {
			t.Errorf("%+v became %+v, %v", failure, again, err)
		}
	})
}
