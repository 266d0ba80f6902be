package worker

import (
	"fmt"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// This file is the host's end of what running tasks ask of their host; the
// worker's is in caller.go.

// Call is what a running task asks of its host.
type Call struct {
	Number uint64 // of the call, for its reply; it was not used before on this link if the worker is honest
	Op     CallOp
	About  uint64 // but for a submit: the number of the submit that it is about

	// Of a submit.
	Slot     uint16 // of the task that calls
	ID       uint64 // of the task that calls
	Task     string
	Options  []byte
	Argument []byte

	Deadline bool // of a cancel: the context was over its deadline
}

// CallOp says what is asked.
type CallOp = wire.CallOp

// What can be asked; see package wire.
const (
	CallSubmit   = wire.CallSubmit
	CallBegun    = wire.CallBegun
	CallWithdraw = wire.CallWithdraw
	CallKill     = wire.CallKill
	CallCancel   = wire.CallCancel
	CallStats    = wire.CallStats
)

// MaxCalls is how many submits of one worker may be unanswered; their arguments
// together have no more bytes than LinkConfig.Limit. A task that wants to submit
// more waits, and a worker that does so nevertheless is at fault: it is for the
// receiver to see to that.
const MaxCalls = 1024

// MaxReply is the most bytes that the description of a failure may have in a reply.
// A value may have as many as LinkConfig.Limit allows.
const MaxReply = wire.MaxReply

// SubmitRoom is the most bytes that a submit needs beside the argument.
const SubmitRoom = wire.MaxSubmissionHead

func (l *Link) takeCall(header wire.Header, payload []byte) error {
	call, err := parseCall(header, payload)
	if err == nil {
		err = l.config.Receiver.Called(call)
	}
	return err
}

func parseCall(header wire.Header, payload []byte) (Call, error) {
	parsed, err := wire.ParseCall(payload)
	c := Call{Number: header.ID, Op: parsed.Op, About: parsed.About}
	switch {
	case err != nil:
		return c, err
	case c.Number == 0:
		return c, &wire.Error{What: "call", Reason: "it has no number"}
	case header.Slot >= Slots:
		return c, &wire.Error{What: "call", Reason: fmt.Sprintf("slot %d of %d", header.Slot, Slots)}
	case c.Op == CallCancel:
		reason, err := wire.ParseReason(parsed.Data)
		c.Deadline = reason == wire.ReasonDeadline
		return c, err
	case c.Op != CallSubmit:
		return c, nil
	}
	s, err := wire.ParseSubmission(parsed.Data)
	c.Slot, c.ID, c.Task, c.Options, c.Argument = header.Slot, parsed.About, string(s.Name), s.Options, s.Argument
	return c, err
}

// Reply answers a call. It does not wait; a large answer is not copied, and must
// not change any more.
func (l *Link) Reply(number uint64, answer []byte) {
	l.outbox.reply(wire.KindReply, number, answer)
}

// Pass passes on what a task reports that a call has submitted, as Reply does.
func (l *Link) Pass(number uint64, progress []byte) {
	l.outbox.reply(wire.KindProgress, number, progress)
}
