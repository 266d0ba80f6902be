package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// Handler runs one task in a worker process: it decodes the argument, calls the
// task's function, and encodes the result or tells how it failed. It may panic
// and call runtime.Goexit, as the function may.
//
// An argument's region is the task's until it ends. The region of a result is one that
// Allocate has returned, or the argument's, and was given.
type Handler func(ctx context.Context, task string, argument Payload) (Payload, *Failure)

// Handlers are what a worker process does for its host. Initialize and Finalize
// may be nil in a program whose hosts ask for no initialization.
type Handlers struct {
	Task Handler
	// Values returns a context derived from parent that has the values that came
	// with a task, for the task's own to find. It may be nil where none come, and
	// neither panics nor ends its goroutine.
	Values func(parent context.Context, carried []byte) (context.Context, *Failure)
	// Items finds what runs the items of a task's chunks.
	Items func(task string) ItemHandler
	// Initialize runs before the first task. The contexts of tasks have the values
	// of the one that it returns. It may panic and call runtime.Goexit.
	Initialize func(ctx context.Context, name string, argument []byte) (values context.Context, failure *Failure)
	// Finalize runs before the process leaves at its host's wish, if Initialize
	// succeeded; ctx has its values. It may panic and call runtime.Goexit.
	Finalize func(ctx context.Context) error
}

// initialization is the number of what comes before any task.
const initialization = 0

// task is a task that came and has not been begun.
type task struct {
	initialize bool // it is the initialization, for which there is no claim
	slot       uint16
	id         uint64
	name       string
	limit      time.Duration
	argument   Payload
	carried    []byte          // values for its context, encoded; nil: none
	values     context.Context // has them; nil: it has the worker's alone
	items      int             // that the argument holds, of a chunk; 0: it is none
}

// run is the runner: it begins tasks in the order in which they came, unless
// the host took them back. Each result is written, or noted in the journal, before
// the next task begins, so that a crash takes no finished task with it. When a task
// ends its goroutine, by runtime.Goexit, another one goes on in its place. When the
// host wants no more, it leaves.
func (s *server) run() {
	defer func() { go s.run() }()
	s.goroutine = Goroutine()
	if s.chunk != nil {
		s.runChunk(s.chunk) // one of its items has ended the goroutine before this one
	}
	for t, now, ok := s.next(); ok; t, now, ok = s.next() {
		if !t.initialize {
			s.reach(StepClaim)
		}
		ctx := s.newContext(t, now)
		if !s.enter(ctx) {
			break
		}
		switch {
		case t.initialize:
			s.perform(ctx, t, now, s.initialize)
		case !s.claims.begin(t.slot, t.id, now):
			s.out = wire.AppendFrame(s.out[:0], wire.Header{Kind: wire.KindSkipped, Slot: t.slot, ID: t.id}, nil)
			s.journal.add(s.out, now)
			s.rest()
			s.ended = now
		case t.items > 0:
			s.journal.open(wire.Header{Slot: t.slot, ID: t.id}, now)
			handle := s.handlers.Items(t.name)
			if failure := s.receiveValues(ctx, &t); failure != nil {
				handle = func(context.Context, []byte, []byte) ([]byte, *Failure) { return nil, failure }
			}
			s.runChunk(&chunk{task: t, handle: handle, rest: t.argument.Data, begun: now, ctx: ctx})
		default:
			handle := s.handlers.Task
			if failure := s.receiveValues(ctx, &t); failure != nil {
				handle = func(context.Context, string, Payload) (Payload, *Failure) { return Payload{}, failure }
			}
			s.perform(ctx, t, now, handle)
		}
	}
	s.reach(StepLeave)
	s.journal.tell()
	s.finalize()
}

// next returns the next task and the time, and false if the host wants no more.
// Nothing waits to be told while the runner waits. To read a clock takes as long as
// a small task does: one that begins at once begins when the one before has ended.
func (s *server) next() (t task, now time.Time, ok bool) {
	now, s.ended = s.ended, time.Time{}
	select {
	case t, ok = <-s.tasks:
		if now.IsZero() {
			now = time.Now()
		}
		if s.journal.gather(now) {
			now = time.Now()
		}
	default:
		s.journal.tell()
		t, ok = <-s.tasks
		now = time.Now()
	}
	return t, now, ok
}

// initialize runs what comes before any task. Its result is empty.
func (s *server) initialize(ctx context.Context, name string, argument Payload) (Payload, *Failure) {
	if s.handlers.Initialize == nil {
		return Payload{}, &Failure{Kind: FailureUnknown}
	}
	values, failure := s.handlers.Initialize(ctx, name, argument.Data)
	if failure == nil {
		s.values, s.initialized = values, true
	}
	return Payload{}, failure
}

// finalize undoes what initialize did, and ends the process.
func (s *server) finalize() {
	if !s.initialized || s.handlers.Finalize == nil {
		os.Exit(exitDone)
	}
	err := errors.New("it called runtime.Goexit")
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v\n\n%s", value, debug.Stack())
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "stint: a finalizer failed: %v\n", err)
			os.Exit(ExitFinalizer)
		}
		os.Exit(exitDone)
	}()
	ctx, cancel := context.WithTimeout(s.values, s.farewell)
	defer cancel()
	err = s.handlers.Finalize(ctx)
}

// receiveValues gives a task's context the values that came with the task.
func (s *server) receiveValues(ctx *taskContext, t *task) *Failure {
	if t.carried == nil {
		return nil
	}
	values, failure := s.handlers.Values(s.values, t.carried)
	if failure == nil {
		ctx.values, t.values = values, values
	}
	return failure
}

// newContext makes the context of a task, or of an item of one.
func (s *server) newContext(t task, begun time.Time) *taskContext {
	values := t.values
	if values == nil {
		values = s.values
	}
	ctx := newTaskContext(values, t.id, begun, t.limit)
	ctx.server, ctx.name, ctx.slot, ctx.goroutine, ctx.ofChunk = s, t.name, t.slot, s.goroutine, t.items > 0
	return ctx
}

// perform runs one task and writes what became of it.
func (s *server) perform(ctx *taskContext, t task, begun time.Time, handler Handler) {
	finish := func(value Payload, failure *Failure) {
		elapsed := time.Since(begun)
		ctx.end(context.Canceled)
		s.ended = begun.Add(elapsed)
		s.reply(ctx, begun, elapsed, value, failure)
		ctx.disown()
		if t.argument.Region != nil {
			t.argument.Region.Release()
		}
		s.rest()
	}
	returned := false
	defer func() {
		switch value := recover(); {
		case value != nil:
			finish(Payload{}, &Failure{Kind: FailurePanic, Message: fmt.Sprint(value), Type: fmt.Sprintf("%T", value), Stack: string(debug.Stack())})
		case !returned:
			finish(Payload{}, &Failure{Kind: FailureGoexit, Stack: string(debug.Stack())})
		}
	}()
	if !t.initialize {
		s.reach(StepBegun)
	}
	value, failure := handler(ctx, t.name, t.argument)
	returned = true
	finish(value, failure)
}

// enter makes ctx that of the running task. It comes before the claim: once the
// host sees the task begun, its cancel finds the context. False: the host wants
// nothing more.
func (s *server) enter(ctx *taskContext) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quitting {
		return false
	}
	s.running = ctx
	return true
}

// rest is entered when all is said about the running task.
func (s *server) rest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = nil
}

// current returns the context of the running task, if it is this one.
func (s *server) current(id uint64) *taskContext {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil || s.running.id != id {
		return nil
	}
	return s.running
}

// cancel ends the context of the running task, if it is this one.
func (s *server) cancel(id uint64, reason wire.Reason) {
	ctx := s.current(id)
	switch {
	case ctx == nil:
	case reason == wire.ReasonDeadline:
		ctx.end(context.DeadlineExceeded)
	default:
		ctx.end(context.Canceled)
	}
}

// reply tells a task's result, after what it reported last: a small one by the
// journal.
func (s *server) reply(ctx *taskContext, begun time.Time, elapsed time.Duration, value Payload, failure *Failure) {
	if size := len(value.Data); failure == nil && size > s.limit-wire.ResultHeadSize {
		failure = &Failure{Kind: FailureResult, Message: fmt.Sprintf("%d bytes are over the limit of %d", size, s.limit-wire.ResultHeadSize)}
	}
	header := wire.Header{Kind: wire.KindValue, Slot: ctx.slot, ID: ctx.id}
	if failure != nil {
		if value.Region != nil {
			value.Region.free()
		}
		header.Kind, value = wire.KindFailure, Payload{Data: encodeFailure(*failure)}
	} else if value = s.share(value); value.Region != nil {
		header.Kind, value = wire.KindValueAt, Payload{Data: wire.AppendRegion(nil, value.Region.place)}
	}
	s.out = wire.AppendResultHead(s.out[:0], header, elapsed, len(value.Data))
	s.closeReports(ctx)
	s.reachOf(ctx, StepReturned)
	switch {
	case ctx.id != initialization && fate.falls(StepHalf):
		s.journal.tell()
		s.writeInHalves(s.out, value.Data)
	case header.Kind != wire.KindValueAt && len(value.Data) < copyBelow:
		s.out = append(s.out, value.Data...)
		s.journal.add(s.out, begun)
	default:
		s.journal.tell()
		s.write(s.out, value.Data)
		s.ended = time.Time{} // to write or copy it took a while
	}
	s.reachOf(ctx, StepWritten)
}

// encodeFailure falls back to a description that can be encoded for certain.
func encodeFailure(failure Failure) []byte {
	encoded, err := wire.EncodeFailure(failure)
	if err != nil {
		encoded, _ = wire.EncodeFailure(Failure{Kind: failure.Kind, Message: "its description cannot be encoded: " + err.Error()})
	}
	return encoded
}
