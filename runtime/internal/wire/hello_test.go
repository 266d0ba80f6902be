package wire_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stint-go/stint/runtime/internal/wire"
)

const (
	greeting = "stint\x00\x01\x00" // magic and version
	nonce    = "0123456789abcdef"
)

// helloPayload is the payload of a hello, as it comes out of a Reader.
func helloPayload(t testing.TB, h wire.Hello) []byte {
	t.Helper()
	b, err := wire.AppendHello(nil, h)
	if err != nil {
		t.Fatal(err)
	}
	return b[wire.HeaderSize:]
}

// helloBody is a hello's payload with this encoded body.
func helloBody(t testing.TB, fields map[int]any) string {
	t.Helper()
	b, err := wire.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return greeting + string(b)
}

func TestHelloRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hello := wire.Hello{
			Nonce:    rapid.SliceOfN(rapid.Byte(), wire.NonceSize, wire.NonceSize).Draw(t, "nonce"),
			Identity: rapid.StringN(0, 1000, 3000).Draw(t, "identity"),
			PID:      rapid.IntMin(0).Draw(t, "pid"),
			Worker:   rapid.IntMin(0).Draw(t, "worker"),
			Limit:    rapid.IntMin(0).Draw(t, "limit"),
		}
		before := []byte("what stands before")
		stream, err := wire.AppendHello(bytes.Clone(before), hello)
		if err != nil || !bytes.HasPrefix(stream, before) {
			t.Fatal(stream, err)
		}
		header, payload, err := wire.NewReader(bytes.NewReader(stream[len(before):]), wire.HelloLimit).Next()
		if err != nil || header.Kind != wire.KindHello {
			t.Fatal(header, err)
		}
		got, err := wire.ParseHello(payload)
		if err != nil || string(got.Nonce) != string(hello.Nonce) || got.Identity != hello.Identity ||
			got.PID != hello.PID || got.Worker != hello.Worker || got.Limit != hello.Limit {
			t.Fatalf("%+v became %+v, %v", hello, got, err)
		}
	})
}

func TestHelloRefused(t *testing.T) {
	good := string(helloPayload(t, wire.Hello{Nonce: []byte(nonce), Identity: "a build", PID: 1, Worker: 2, Limit: 3}))
	body := good[len(greeting):]
	for name, test := range map[string]struct{ payload, reason string }{
		"nothing":              {"", "does not speak this protocol"},
		"magic alone":          {"stint\x00", "does not speak this protocol"},
		"half a version":       {"stint\x00\x01", "does not speak this protocol"},
		"wrong magic":          {"stilt\x00\x01\x00" + body, "does not speak this protocol"},
		"text":                 {"SSH-2.0-OpenSSH_9.7\r\n", "does not speak this protocol"},
		"too long":             {good + strings.Repeat("x", wire.HelloLimit), "does not speak this protocol"},
		"an older version":     {"stint\x00\x00\x00" + body, "speaks version 0, this side version 1"},
		"a newer version":      {"stint\x00\x02\x00" + body, "speaks version 2, this side version 1"},
		"a version of 2 bytes": {"stint\x00\x01\x01" + body, "speaks version 257"},
		"no body":              {greeting, "EOF"},
		"half a body":          {good[:len(good)-3], "EOF"},
		"something after it":   {good + "x", "extraneous data"},
		"not a map":            {greeting + "\x01", "cannot unmarshal"},
		"no nonce":             {helloBody(t, map[int]any{3: 1}), "out of bounds"},
		"a short nonce":        {helloBody(t, map[int]any{1: []byte(nonce[1:])}), "out of bounds"},
		"a long nonce":         {helloBody(t, map[int]any{1: []byte(nonce + "x")}), "out of bounds"},
		"a negative pid":       {helloBody(t, map[int]any{1: []byte(nonce), 3: -1}), "out of bounds"},
		"a negative worker":    {helloBody(t, map[int]any{1: []byte(nonce), 4: -1}), "out of bounds"},
		"a negative limit":     {helloBody(t, map[int]any{1: []byte(nonce), 5: -1}), "out of bounds"},
		"a pid beyond int64":   {helloBody(t, map[int]any{1: []byte(nonce), 3: uint64(1 << 63)}), "cannot unmarshal"},
		"a nonce of text":      {helloBody(t, map[int]any{1: 7}), "cannot unmarshal"},
		"a field twice":        {greeting + "\xa2\x03\x01\x03\x01", "duplicate"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wire.ParseHello([]byte(test.payload))
			var bad *wire.Error
			if !errors.As(err, &bad) || bad.What != "hello" || !strings.Contains(bad.Reason, test.reason) {
				t.Errorf("error %v, want a bad hello with %q", err, test.reason)
			}
		})
	}
}

func FuzzParseHello(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("stint\x00\x02\x00"))
	f.Add([]byte(greeting + "\xa2\x03\x01\x03\x01"))
	f.Add(helloPayload(f, wire.Hello{Nonce: []byte(nonce), Identity: "a build", PID: 1, Worker: 2, Limit: 3}))
	f.Fuzz(func(t *testing.T, payload []byte) {
		var hello wire.Hello
		var err error
		within(t, 16<<10+64*len(payload), func() { hello, err = wire.ParseHello(payload) })
		if err != nil {
			onlyWireError(t, err)
			return
		}
		again, err := wire.ParseHello(helloPayload(t, hello))
		if err != nil || again.Identity != hello.Identity || again.PID != hello.PID || !bytes.Equal(again.Nonce, hello.Nonce) {
			t.Errorf("%+v became %+v, %v", hello, again, err)
		}
	})
}

// onlyWireError asserts that err is an *Error that tells a reason.
func onlyWireError(t testing.TB, err error) {
	t.Helper()
	var bad *wire.Error
	if !errors.As(err, &bad) || bad.What == "" || bad.Reason == "" || !strings.Contains(err.Error(), bad.Reason) {
		t.Errorf("error %#v", err)
	}
}
