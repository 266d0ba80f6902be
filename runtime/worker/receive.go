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
	frames := wire.NewReader(l.received(), wire.HelloLimit)
	if err := l.handshake(frames); err != nil {
		return l.ending(err)
	}
	frames.SetLimit(max(l.config.Limit, wire.ItemsHeadSize+wire.ItemHeadSize+wire.ResultHeadSize+wire.MaxFailure)) // a failure always fits
	if l.config.Initialize != nil {
		if err := l.initialized(frames); err != nil {
			return err
		}
	}
	l.config.Receiver.Ready()
	l.batch = make([]Result, 0, Slots)
	for {
		header, payload, err := frames.Next()
		if err == nil {
			err = l.take(header, payload)
		}
		if err != nil || len(l.batch) == cap(l.batch) || !frames.Buffered() {
			l.deliver()
		}
		if err != nil {
			return l.ending(err)
		}
	}
}

// received is what the worker sends.
func (l *Link) received() io.Reader {
	if l.config.Faults == nil {
		return l.channel
	}
	return l.config.Faults.Received(l.config.Worker, l.channel)
}

// take keeps a result, to be delivered with those that came with it. What else a
// worker sends is delivered at once, after the results before it.
func (l *Link) take(header wire.Header, payload []byte) error {
	switch header.Kind {
	case wire.KindStack:
		l.deliver()
		return l.takeStack(header, payload)
	case wire.KindCall:
		l.deliver()
		return l.takeCall(header, payload)
	case wire.KindProgress:
		l.deliver()
		return l.takeProgress(header, payload)
	}
	at := header.Kind == wire.KindValueAt // only here: a worker that is gone has shared nothing
	if at {
		header.Kind = wire.KindValue
	}
	result, err := parseResult(header, payload)
	if err == nil && at {
		if result.Region, err = l.arena.receive(result.Slot, result.ID, result.Value); err == nil {
			result.Value = result.Region.data
		}
	}
	if err == nil {
		l.batch = append(l.batch, result)
	}
	return err
}

func (l *Link) takeStack(header wire.Header, payload []byte) error {
	if l.asked.Add(-1) < 0 {
		return &wire.Error{What: "stack", Reason: "nobody asked for it"}
	}
	text, err := wire.ParseStack(payload)
	if err == nil {
		l.config.Receiver.Stack(header.ID, text)
	}
	return err
}

func (l *Link) takeProgress(header wire.Header, payload []byte) error {
	if err := wire.CheckProgress(len(payload)); err != nil {
		return err
	}
	if header.Slot >= Slots || !l.config.Receiver.Progress(header.Slot, header.ID, payload) {
		return &wire.Error{What: "progress", Reason: "of a task that it has not begun"}
	}
	return nil
}

// deliver hands on the results that have been kept.
func (l *Link) deliver() {
	if len(l.batch) > 0 {
		l.config.Receiver.Results(l.batch)
		for i := range l.batch {
			if r := l.batch[i].Region; r != nil && !r.kept {
				r.Release()
			}
		}
		clear(l.batch)
		l.batch = l.batch[:0]
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
			"it runs another build than its host: %q, not %q (was the program's file replaced while it ran?)", answer.Identity, identity)}
	}
	if l.arena != nil && answer.Arena == len(l.arena.mapping) {
		l.arena.shared = true
		l.outbox.use(l.arena)
	}
	return nil
}

// initialized waits until the worker has done what comes before any task.
func (l *Link) initialized(frames *wire.Reader) error {
	header, payload, err := frames.Next()
	var result Result
	if err == nil {
		result, err = parseResult(header, payload)
	}
	if err == nil && (result.ID != 0 || result.Skipped || len(result.Value) > 0) {
		err = &wire.Error{What: "frame", Reason: "it answers something else than what it was to initialize"}
	}
	if bad := l.ending(err); bad != nil {
		return bad
	}
	if err == nil && result.Failure == nil {
		return nil
	}
	return &InitializeError{Worker: l.config.Worker, Elapsed: result.Elapsed, Failure: result.Failure}
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
	case wire.KindItems, wire.KindLastItems:
		parsed, count, err := wire.ParseItems(payload)
		result.Chunk, result.Last = true, header.Kind == wire.KindLastItems
		result.Elapsed, result.Items, result.Count = parsed.Elapsed, parsed.Data, count
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
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, os.ErrClosed):
		return nil // it died, perhaps while it wrote, or we closed
	}
	return err
}
