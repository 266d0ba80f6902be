package wire

import (
	"encoding/binary"
	"fmt"
)

// HeaderSize is the number of bytes before a frame's payload.
const HeaderSize = 16

// Kind says what a frame means.
type Kind uint8

// The kinds of frames, and who sends them.
const (
	kindInvalid    Kind = iota
	KindHello           // both, once, first
	KindNoMain          // worker: this program never called pool.Main
	KindTask            // host: run this; payload is a Task
	KindCancel          // host: the context of task id ends; payload is one Reason
	KindQuit            // host: leave once the running task is done; payload is a limit
	KindValue           // worker: task id returned; payload is a Result
	KindFailure         // worker: task id failed; payload is a Result holding a Failure
	KindSkipped         // worker: task id had been taken back and was not run; no payload
	KindAskStack        // host: where is task id?; no payload
	KindStack           // worker: there it is; payload is text
	KindInitialize      // host: do this before any task, answered as a task; payload is a Task, id 0
	KindChunk           // host: run this for each of some items; payload is a Task whose argument is their number and Items
	KindItems           // worker: the next items of chunk id are over; payload is a Result holding Items
	KindLastItems       // worker: the same, perhaps with none, and nothing is left of the chunk
	KindCall            // worker: a running task asks something of the host; payload is a Call
	KindReply           // host: the answer to call id
	KindProgress        // worker: task id has come so far; host: what call id has submitted; payload is a value
	KindValues          // host: what the context of task id has, which comes next
	KindTaskAt          // host: the same as a Task, whose argument is a Region of the shared memory
	KindValueAt         // worker: the same as a Value, which is in a Region of it
	kindBeyond          // one past the last
)

var kindNames = [...]string{
	"invalid", "hello", "no-main", "task", "cancel", "quit", "value", "failure", "skipped", "ask-stack", "stack", "initialize",
	"chunk", "items", "last-items",
	"call", "reply", "progress", "values", "task-at", "value-at",
}

// String returns the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Header is what stands before a payload. Size is set by AppendFrame.
type Header struct {
	Size uint32 // bytes of payload
	Kind Kind
	Slot uint16 // the worker's slot that holds the task's claim
	ID   uint64 // the task's number on this channel; 0 where none is meant
}

// AppendHeader appends the header of a frame whose payload has size bytes.
func AppendHeader(dst []byte, h Header) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, h.Size)
	dst = append(dst, byte(h.Kind), 0)
	dst = binary.LittleEndian.AppendUint16(dst, h.Slot)
	return binary.LittleEndian.AppendUint64(dst, h.ID)
}

// AppendFrame appends a whole frame.
func AppendFrame(dst []byte, h Header, payload []byte) []byte {
	h.Size = uint32(len(payload))
	return append(AppendHeader(dst, h), payload...)
}

// parseHeader decodes the first HeaderSize bytes of b and checks them.
func parseHeader(b []byte, limit int) (Header, error) {
	h := Header{
		Size: binary.LittleEndian.Uint32(b),
		Kind: Kind(b[4]),
		Slot: binary.LittleEndian.Uint16(b[6:]),
		ID:   binary.LittleEndian.Uint64(b[8:]),
	}
	switch {
	case h.Kind == kindInvalid || h.Kind >= kindBeyond:
		return h, &Error{What: "frame", Reason: fmt.Sprintf("unknown kind %d", b[4])}
	case b[5] != 0:
		return h, &Error{What: "frame", Reason: fmt.Sprintf("reserved byte is %d", b[5])}
	case int64(h.Size) > int64(limit):
		return h, &Error{What: "frame", Reason: fmt.Sprintf("%s of %d bytes is over the limit of %d", h.Kind, h.Size, limit)}
	}
	return h, nil
}

// CutFrame takes the first frame off b. The payload aliases b. An error, which is an
// *Error, says that b does not begin with a whole frame.
func CutFrame(b []byte, limit int) (h Header, payload, rest []byte, err error) {
	if len(b) < HeaderSize {
		return h, nil, nil, &Error{What: "frame", Reason: fmt.Sprintf("%d bytes are too short for one", len(b))}
	}
	if h, err = parseHeader(b, limit); err != nil {
		return h, nil, nil, err
	}
	end := HeaderSize + int(h.Size)
	if end > len(b) {
		return h, nil, nil, &Error{What: "frame", Reason: fmt.Sprintf("%d bytes, of which %d came", end, len(b))}
	}
	return h, b[HeaderSize:end:end], b[end:], nil
}
