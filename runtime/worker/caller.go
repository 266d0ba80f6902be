package worker

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// Caller asks things of the host in the name of a running task. Its methods may be
// called from any goroutine of the worker.
type Caller struct {
	task *taskContext
}

// ErrTaskOver says that the task in whose name something is asked is over, or was
// told to end.
var ErrTaskOver = errors.New("the task is over, or was told to end")

// CallerOf returns that of the task whose context ctx is, or is derived from; nil:
// of none. An initializer is no task.
func CallerOf(ctx context.Context) *Caller {
	if task, ok := ctx.Value(taskKey{}).(*taskContext); ok && task.id != 0 {
		task.asked.Store(true) // what it submits ends with it
		return &Caller{task}
	}
	return nil
}

// Limit is the largest payload of the channel, in bytes.
func (c *Caller) Limit() int { return c.task.server.limit }

// Reserve gets the number for a submit of an argument of so many bytes, and waits
// until there is room for it: as long as ctx and the task's own context allow.
// answered is called with the reply, on a goroutine of its own; before that reported
// with what the task has reported meanwhile, which must not block.
func (c *Caller) Reserve(ctx context.Context, size int, answered, reported func([]byte)) (number uint64, err error) {
	call := &openCall{size: size, submit: true, answered: answered, reported: reported}
	return c.task.server.calls.reserve(ctx, c.task, call)
}

// Submit sends what Reserve got a number for. On an error there is no reply.
func (c *Caller) Submit(number uint64, task string, options, argument []byte) error {
	err := wire.CheckOptions(options)
	if err == nil {
		head := wire.AppendSubmissionHead(nil, task, options)
		frame := wire.AppendCallHead(nil, number, c.task.slot, CallSubmit, c.task.id, len(head)+len(argument))
		err = c.send(append(frame, head...), argument)
	}
	if err != nil {
		c.task.server.calls.drop(number)
	}
	return err
}

// send sends a submit, unless its task has ended: a result comes after all that
// its task has submitted.
func (c *Caller) send(head, argument []byte) error {
	s := c.task.server
	s.journal.flush()
	s.writing.Lock()
	defer s.writing.Unlock()
	if c.task.Err() != nil {
		return ErrTaskOver
	}
	s.writeLocked(head, argument)
	return nil
}

// Cancel tells the host that the context has ended that a submit was made with.
func (c *Caller) Cancel(submit uint64, deadline bool) {
	reason := wire.ReasonCanceled
	if deadline {
		reason = wire.ReasonDeadline
	}
	s := c.task.server
	frame := wire.AppendCallHead(nil, s.calls.next(), 0, CallCancel, submit, 1)
	s.write(append(frame, byte(reason)))
}

// Ask asks something and waits for the answer, which takes some 20 µs.
func (c *Caller) Ask(op CallOp, about uint64) []byte {
	s := c.task.server
	answer := make(chan []byte, 1)
	number := s.calls.open(&openCall{answered: func(b []byte) { answer <- b }})
	s.write(wire.AppendCallHead(nil, number, 0, op, about, 0))
	return <-answer
}

// Withdraw asks the host to cancel what a submit has asked for, if that has not
// begun. True: it never ran and never will, and there is no other reply.
func (c *Caller) Withdraw(submit uint64) bool {
	if !isTrue(c.Ask(CallWithdraw, submit)) {
		return false
	}
	c.task.server.calls.drop(submit)
	return true
}

// Is asks a question to be answered by yes or no.
func (c *Caller) Is(op CallOp, about uint64) bool { return isTrue(c.Ask(op, about)) }

func isTrue(answer []byte) bool { return len(answer) == 1 && answer[0] == 1 }

// calls are those that the host has not answered.
type calls struct {
	mu      sync.Mutex
	last    uint64 // number
	opened  map[uint64]*openCall
	submits int           // of these
	bytes   int           // of their arguments
	limit   int           // for bytes
	room    chan struct{} // closed when one is answered, if somebody waits for that
}

// openCall is one of them.
type openCall struct {
	size     int // of a submit's argument
	submit   bool
	answered func([]byte)
	reported func([]byte) // of a submit
}

func (c *calls) init(limit int) { c.limit, c.opened = limit, make(map[uint64]*openCall) }

// next numbers a call that is not answered.
func (c *calls) next() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	return c.last
}

func (c *calls) open(call *openCall) (number uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.openLocked(call)
}

func (c *calls) openLocked(call *openCall) (number uint64) {
	c.last++
	c.opened[c.last] = call
	return c.last
}

// reserve opens a submit when there is room.
func (c *calls) reserve(ctx, task context.Context, call *openCall) (number uint64, err error) {
	for {
		number, room := c.tryReserve(call)
		if number > 0 {
			return number, nil
		}
		select {
		case <-room:
		case <-task.Done():
			return 0, ErrTaskOver
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

func (c *calls) tryReserve(call *openCall) (number uint64, room <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.submits < MaxCalls && (c.bytes+call.size <= c.limit) {
		c.submits++
		c.bytes += call.size
		return c.openLocked(call), nil
	}
	if c.room == nil {
		c.room = make(chan struct{})
	}
	return 0, c.room
}

// answer hands a reply on. Decoding it may take its time, and the reader is the
// worker's lifeline: so it gets a goroutine of its own.
func (c *calls) answer(number uint64, reply []byte) {
	if call := c.drop(number); call != nil {
		go call.answered(bytes.Clone(reply))
	}
}

// report hands on what a submitted task reports.
func (c *calls) report(number uint64, progress []byte) {
	c.mu.Lock()
	call := c.opened[number]
	c.mu.Unlock()
	if call != nil && call.submit {
		call.reported(bytes.Clone(progress))
	}
}

// drop forgets a call and returns it; nil: it was answered, or withdrawn.
func (c *calls) drop(number uint64) *openCall {
	c.mu.Lock()
	defer c.mu.Unlock()
	call := c.opened[number]
	delete(c.opened, number)
	if call != nil && call.submit {
		c.submits--
		c.bytes -= call.size
		if c.room != nil {
			close(c.room)
			c.room = nil
		}
	}
	return call
}
