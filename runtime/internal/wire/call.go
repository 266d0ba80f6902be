package wire

import (
	"encoding/binary"
	"fmt"
)

// Call is the payload of KindCall: what a running task asks of its host. The
// frame's id numbers the call, from 1 upwards; the answer, KindReply, bears it.
type Call struct {
	Op    CallOp
	About uint64 // of a submit the task that calls; otherwise the number of the submit that it is about
	Data  []byte // of a submit a Submission; of a cancel a Reason; otherwise nothing
}

// CallOp says what is asked.
type CallOp uint8

// What a task can ask. A submit is answered when the task that it submits is
// over, and not at all when it is withdrawn; a cancel has no answer.
const (
	CallSubmit   CallOp = iota + 1 // run a task in the pool that runs this one
	CallBegun                      // has it begun? The answer is one byte: 0 or 1
	CallWithdraw                   // cancel it if it has not begun: the answer says whether
	CallKill                       // end it by force: the answer says whether it runs
	CallCancel                     // the context that it was submitted with has ended
	CallStats                      // the pool's figures
	callBeyond
)

const callHeadSize = 9

// AppendCallHead appends a call's frame up to its data, of which size bytes
// follow. Slot is the calling task's.
func AppendCallHead(dst []byte, number uint64, slot uint16, op CallOp, about uint64, size int) []byte {
	dst = AppendHeader(dst, Header{Kind: KindCall, Slot: slot, ID: number, Size: uint32(callHeadSize + size)})
	return binary.LittleEndian.AppendUint64(append(dst, byte(op)), about)
}

// ParseCall decodes a KindCall payload. Data aliases it.
func ParseCall(payload []byte) (Call, error) {
	if len(payload) < callHeadSize {
		return Call{}, &Error{What: "call", Reason: fmt.Sprintf("payload of %d bytes is too short", len(payload))}
	}
	c := Call{Op: CallOp(payload[0]), About: binary.LittleEndian.Uint64(payload[1:]), Data: payload[callHeadSize:]}
	switch {
	case c.Op == 0 || c.Op >= callBeyond:
		return c, &Error{What: "call", Reason: fmt.Sprintf("unknown operation %d", c.Op)}
	case c.Op != CallSubmit && c.Op != CallCancel && len(c.Data) > 0:
		return c, &Error{What: "call", Reason: fmt.Sprintf("operation %d with %d bytes of data", c.Op, len(c.Data))}
	}
	return c, nil
}

// Submission is the data of CallSubmit.
type Submission struct {
	Name     []byte
	Options  []byte // of the call, as the pool encodes them
	Argument []byte // as encoded by Marshal
}

// maxOptions bounds the options of a submission.
const maxOptions = 1 << 10

// MaxSubmissionHead is the most bytes that stand before a submission's argument in
// its frame's payload.
const MaxSubmissionHead = callHeadSize + 4 + maxName + maxOptions

// AppendSubmissionHead appends a submission up to its argument. Name and options
// have been checked.
func AppendSubmissionHead(dst []byte, name string, options []byte) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(name)))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(options)))
	return append(append(dst, name...), options...)
}

// CheckOptions says whether options are short enough to be submitted.
func CheckOptions(options []byte) error {
	if len(options) > maxOptions {
		return &Error{What: "submission", Reason: fmt.Sprintf("options of %d bytes, over %d", len(options), maxOptions)}
	}
	return nil
}

// ParseSubmission decodes the data of CallSubmit, which the fields alias.
func ParseSubmission(data []byte) (Submission, error) {
	if len(data) < 4 {
		return Submission{}, &Error{What: "submission", Reason: fmt.Sprintf("%d bytes are too short", len(data))}
	}
	name, options, rest := int(binary.LittleEndian.Uint16(data)), int(binary.LittleEndian.Uint16(data[2:])), data[4:]
	switch {
	case name == 0 || name > maxName:
		return Submission{}, &Error{What: "submission", Reason: fmt.Sprintf("name of %d bytes", name)}
	case options > maxOptions:
		return Submission{}, &Error{What: "submission", Reason: fmt.Sprintf("options of %d bytes", options)}
	case name+options > len(rest):
		return Submission{}, &Error{What: "submission", Reason: "it ends before its argument begins"}
	}
	return Submission{Name: rest[:name], Options: rest[name : name+options], Argument: rest[name+options:]}, nil
}

// MaxReply bounds what is told of a failure in a KindReply; a value may be as
// large as any.
const MaxReply = 1 << 20
