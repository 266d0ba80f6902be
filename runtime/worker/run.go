package worker

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// Handler runs one task in a worker process: it decodes the argument, calls the
// task's function, and encodes the result or tells how it failed. It may panic
// and call runtime.Goexit, as the function may.
type Handler func(ctx context.Context, task string, argument []byte) ([]byte, *Failure)

// task is a task that came and has not been begun.
type task struct {
	wire.Task
	slot uint16
	id   uint64
}

// running is the task that runs.
type running struct {
	id     uint64
	cancel context.CancelCauseFunc
}

// run is the runner: it begins tasks in the order in which they came, unless
// the host took them back. Each result is written before the next task begins,
// so that a crash takes no finished task with it.
func (s *server) run() {
	for t := range s.tasks {
		now := time.Now()
		if s.claims.begin(t.slot, t.id, now) {
			s.perform(t, now)
		} else {
			s.write(wire.AppendFrame(nil, wire.Header{Kind: wire.KindSkipped, Slot: t.slot, ID: t.id}, nil))
		}
	}
}

// perform runs one task and writes what became of it.
func (s *server) perform(t task, begun time.Time) {
	ctx, end := s.begin(t, begun)
	finish := func(value []byte, failure *Failure) {
		end()
		s.reply(t, time.Since(begun), value, failure)
	}
	returned := false
	defer func() {
		switch value := recover(); {
		case value != nil:
			finish(nil, &Failure{Kind: FailurePanic, Message: fmt.Sprint(value), Type: fmt.Sprintf("%T", value), Stack: string(debug.Stack())})
		case !returned: // this goroutine is ending: another one goes on in its place
			finish(nil, &Failure{Kind: FailureGoexit, Stack: string(debug.Stack())})
			go s.run()
		}
	}()
	value, failure := s.handler(ctx, t.Name, t.Argument)
	returned = true
	finish(value, failure)
}

// begin makes the task's context and lets the host's cancel reach it.
func (s *server) begin(t task, begun time.Time) (ctx context.Context, end func()) {
	ctx, stop := context.Background(), func() {}
	if t.Limit > 0 {
		ctx, stop = context.WithDeadline(ctx, begun.Add(t.Limit))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	s.mu.Lock()
	s.running = &running{id: t.id, cancel: cancel}
	s.mu.Unlock()
	return ctx, func() {
		s.mu.Lock()
		s.running = nil
		s.mu.Unlock()
		cancel(nil)
		stop()
	}
}

// cancel ends the context of the running task, if it is this one.
func (s *server) cancel(id uint64, reason wire.Reason) {
	s.mu.Lock()
	r := s.running
	s.mu.Unlock()
	if r == nil || r.id != id {
		return
	}
	if reason == wire.ReasonDeadline {
		r.cancel(context.DeadlineExceeded)
	} else {
		r.cancel(context.Canceled)
	}
}

// reply writes a task's result, and leaves if that was the last.
func (s *server) reply(t task, elapsed time.Duration, value []byte, failure *Failure) {
	if failure == nil && len(value) > s.limit-wire.ResultHeadSize {
		failure = &Failure{Kind: FailureResult, Message: fmt.Sprintf("%d bytes are over the limit of %d", len(value), s.limit)}
	}
	header := wire.Header{Kind: wire.KindValue, Slot: t.slot, ID: t.id}
	if failure != nil {
		header.Kind, value = wire.KindFailure, encodeFailure(*failure)
	}
	s.out = wire.AppendResultHead(s.out[:0], header, elapsed, len(value))
	if len(value) < copyBelow {
		s.write(append(s.out, value...))
	} else {
		s.write(s.out)
		s.write(value)
	}
	s.mu.Lock()
	quitting := s.quitting
	s.mu.Unlock()
	if quitting {
		os.Exit(exitDone)
	}
}

// encodeFailure falls back to a description that can be encoded for certain.
func encodeFailure(failure Failure) []byte {
	encoded, err := wire.EncodeFailure(failure)
	if err != nil {
		encoded, _ = wire.EncodeFailure(Failure{Kind: failure.Kind, Message: "its description cannot be encoded: " + err.Error()})
	}
	return encoded
}
