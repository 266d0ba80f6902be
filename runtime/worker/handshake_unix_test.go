//go:build unix

package worker_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stint-go/stint/runtime/internal/wire"
	"github.com/stint-go/stint/runtime/worker"
)

// What comes instead of a worker's hello.
func TestHandshakeErrors(t *testing.T) {
	hello := func(change func(*wire.Hello)) []byte {
		h := wire.Hello{Nonce: make([]byte, wire.NonceSize), Identity: "a build"}
		if change != nil {
			change(&h)
		}
		frame, err := wire.AppendHello(nil, h)
		if err != nil {
			t.Fatal(err)
		}
		return frame
	}
	version := hello(nil)
	version[wire.HeaderSize+6]++
	for name, test := range map[string]struct {
		say       []byte
		handshake bool // else protocol
		reason    string
	}{
		"zeros":             {make([]byte, 100), false, "unknown kind 0"},
		"text":              {[]byte("usage: program [flags] file …\n"), false, "bad frame"},
		"a value":           {valueFrame(0, 0, ""), true, "it began with a value frame"},
		"a task":            {frameOf(wire.KindTask, ""), true, "it began with a task frame"},
		"an empty hello":    {frameOf(wire.KindHello, ""), true, "does not speak this protocol"},
		"wrong magic":       {frameOf(wire.KindHello, "stilt\x00\x01\x00"), true, "does not speak this protocol"},
		"another version":   {version, true, "speaks version 2, this side version 1"},
		"a hello of 4 KiB":  {frameOf(wire.KindHello, strings.Repeat("x", 4097)), false, "over the limit of 4096"},
		"no nonce":          {hello(func(h *wire.Hello) { h.Nonce = nil }), true, "out of bounds"},
		"wrong nonce":       {hello(nil), true, "wrong nonce"},
		"a bomb in a hello": {frameOf(wire.KindHello, "stint\x00\x01\x00\xa1\x01\x5b\x7f\xff\xff\xff\xff\xff\xff\xff"), true, "bad hello"},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := play(t, false, test.say)
			var handshake *worker.HandshakeError
			var protocol *worker.ProtocolError
			if errors.As(err, &handshake) != test.handshake || errors.As(err, &protocol) == test.handshake {
				t.Errorf("closed with %T", err)
			}
			if err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("closed with %v, want %q", err, test.reason)
			}
			if handshake != nil && (handshake.Worker != 7 || handshake.Mismatch) {
				t.Errorf("%+v", handshake)
			}
			if w.ready != 0 || len(w.results) != 0 {
				t.Errorf("ready %d times, results %+v", w.ready, w.results)
			}
		})
	}
}

// SEC-3, SEC-11: another build is refused, and so is who does not know the nonce.
// SEC-18: what it says of itself cannot act on a terminal.
func TestWrongAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		change   func(*wire.Hello)
		mismatch bool
		reason   string
	}{
		"identity":   {func(h *wire.Hello) { h.Identity += " of yesterday" }, true, "of yesterday"},
		"no build":   {func(h *wire.Hello) { h.Identity = "" }, true, "another build"},
		"a terminal": {func(h *wire.Hello) { h.Identity = "\x1b[2J\a" }, true, `\x1b[2J\a`},
		"nonce":      {func(h *wire.Hello) { h.Nonce[wire.NonceSize-1] ^= 1 }, false, "wrong nonce"},
		"both wrong": {func(h *wire.Hello) { h.Nonce[0]++; h.Identity = "" }, false, "wrong nonce"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatcher()
			_, i := openImpostor(t, w)
			i.write(i.answer(test.change))
			err, _ := receive(t, w.closed)
			var handshake *worker.HandshakeError
			if !errors.As(err, &handshake) || handshake.Mismatch != test.mismatch || !strings.Contains(handshake.Reason, test.reason) || strings.ContainsRune(err.Error(), '\x1b') {
				t.Errorf("closed with %q", err)
			}
			if w.ready != 0 {
				t.Error("it was ready")
			}
			if _, err := io.Copy(io.Discard, i.conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the channel is still open")
			}
		})
	}
}

// The nonce is another one for each worker.
func TestNonce(t *testing.T) {
	nonces := map[string]bool{}
	for range 10 {
		w := newWatcher()
		link, i := openImpostor(t, w)
		i.answer(func(h *wire.Hello) { nonces[string(h.Nonce)] = true })
		link.Close()
		receive(t, w.closed)
	}
	if len(nonces) != 10 {
		t.Errorf("%d nonces for 10 workers", len(nonces))
	}
}
