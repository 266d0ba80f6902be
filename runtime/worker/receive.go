package worker

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// This file is a link's reader.

// read is the reader: handshake, then batches of results until the end.
func (l *Link) read() error {
	frames := wire.NewReader(l.socket, wire.HelloLimit)
	if err := l.handshake(frames); err != nil {
		return l.ending(err)
	}
	frames.SetLimit(max(l.config.Limit, wire.ResultHeadSize+wire.MaxFailure)) // a failure always fits
	l.config.Receiver.Ready()
	batch := make([]Result, 0, Slots)
	for {
		var err error
		batch, err = nextBatch(frames, batch[:0])
		if len(batch) > 0 {
			l.config.Receiver.Results(batch)
			clear(batch)
		}
		if err != nil {
			return l.ending(err)
		}
	}
}

// handshake checks the answer to the hello.
func (l *Link) handshake(frames *wire.Reader) error {
	header, payload, err := frames.Next()
	if err != nil {
		return err
	}
	if header.Kind == wire.KindNoMain {
		return ErrNoMain
	}
	if header.Kind != wire.KindHello {
		return &HandshakeError{Worker: l.config.Worker, Reason: fmt.Sprintf("it began with a %s frame", header.Kind)}
	}
	answer, err := wire.ParseHello(payload)
	switch {
	case err != nil:
		return &HandshakeError{Worker: l.config.Worker, Reason: err.Error()}
	case subtle.ConstantTimeCompare(answer.Nonce, l.nonce[:]) != 1:
		return &HandshakeError{Worker: l.config.Worker, Reason: "it answered somebody else's question (wrong nonce)"}
	case answer.Identity != identity:
		return &HandshakeError{Worker: l.config.Worker, Mismatch: true, Reason: fmt.Sprintf(
			"it runs another build than its host: %s, not %s (was the program's file replaced while it ran?)", answer.Identity, identity)}
	}
	return nil
}

// nextBatch waits for one result and takes what came with it.
func nextBatch(frames *wire.Reader, batch []Result) ([]Result, error) {
	for {
		header, payload, err := frames.Next()
		if err != nil {
			return batch, err
		}
		result, err := parseResult(header, payload)
		if err != nil {
			return batch, err
		}
		batch = append(batch, result)
		if len(batch) == cap(batch) || !frames.Buffered() {
			return batch, nil
		}
	}
}

func parseResult(header wire.Header, payload []byte) (Result, error) {
	result := Result{Slot: header.Slot, ID: header.ID}
	if header.Slot >= Slots {
		return result, &wire.Error{What: "result", Reason: fmt.Sprintf("slot %d of %d", header.Slot, Slots)}
	}
	switch header.Kind {
	case wire.KindSkipped:
		result.Skipped = true
		return result, nil
	case wire.KindValue:
		parsed, err := wire.ParseResult(payload)
		result.Elapsed, result.Value = parsed.Elapsed, parsed.Data
		return result, err
	case wire.KindFailure:
		parsed, err := wire.ParseResult(payload)
		if err != nil {
			return result, err
		}
		failure, err := wire.DecodeFailure(parsed.Data)
		result.Elapsed, result.Failure = parsed.Elapsed, &failure
		return result, err
	}
	return result, &wire.Error{What: "frame", Reason: fmt.Sprintf("a worker does not send %s", header.Kind)}
}

// ending turns the error that ended the reading into what Closed tells.
func (l *Link) ending(err error) error {
	var bad *wire.Error
	switch {
	case errors.As(err, &bad):
		return &ProtocolError{Worker: l.config.Worker, Err: bad}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, os.ErrClosed), isReset(err):
		return nil // it died, perhaps while it wrote, or we closed
	}
	return err
}
