package worker

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// Items is a run of encoded items, one after another.
type Items = wire.Items

// ItemHandler runs a task for one item: it decodes the argument, calls the task's
// function, and returns dst with the encoded result appended, or tells how it
// failed. It may panic and call runtime.Goexit.
type ItemHandler func(ctx context.Context, argument, dst []byte) ([]byte, *Failure)

// ItemFailure tells how an item failed and after how long, which is 0 if it was not
// measured, of the data of one that did.
func ItemFailure(data []byte) (elapsed time.Duration, f Failure, err error) {
	r, err := wire.ParseResult(data)
	if err == nil {
		f, err = wire.DecodeFailure(r.Data)
	}
	return r.Elapsed, f, err
}

// chunk is a run of items that came together and is being run. It has one claim,
// whose span says which items are left.
type chunk struct {
	task
	handle ItemHandler
	rest   wire.Items   // not begun
	begun  time.Time    // the item that runs, if there is a limit, or else the chunk
	ctx    *taskContext // of the item that runs; of all of them, as long as nobody asks for its end
	index  int          // of the item that runs
}

// runChunk runs the items that are left of a chunk, and tells when none is. A
// task that ends its goroutine is the reason that it may be called again.
func (s *server) runChunk(c *chunk) {
	s.chunk = c
	for s.runItems(c) {
	}
	s.chunk = nil
	c.ctx.end(context.Canceled)
	s.closeReports(c.ctx)
	s.journal.close()
	s.rest()
}

// runItems runs items until none is left, or one panics or ends its goroutine. It
// says whether any may be left.
func (s *server) runItems(c *chunk) (left bool) {
	running := false
	defer func() {
		if !running {
			return
		}
		failure := &Failure{Kind: FailureGoexit}
		if value := recover(); value != nil {
			failure = &Failure{Kind: FailurePanic, Message: fmt.Sprint(value), Type: fmt.Sprintf("%T", value)}
		}
		failure.Stack = string(debug.Stack())
		c.ctx.asked.Store(true) // the goroutine may be another one from here on
		s.finishItem(c, nil, failure)
		left = true
	}()
	for s.beginItem(c) {
		argument, _, _ := c.rest.Next() // as the reader has checked
		room := s.journal.room()
		running = true
		s.reach(StepBegun)
		result, failure := c.handle(c.ctx, argument, room)
		running = false
		s.reach(StepReturned)
		s.finishItem(c, result, failure)
		s.reach(StepWritten)
	}
	return false
}

// beginItem claims the next item. It gets a context of its own if the one before
// may have kept the last, or if it has a deadline: then its beginning is noted.
func (s *server) beginItem(c *chunk) bool {
	if c.index > 0 && (c.limit > 0 || c.ctx.asked.Load()) {
		now := time.Now()
		c.ctx = s.newContext(c.task, now)
		s.mu.Lock()
		s.running = c.ctx // also if the host wants no other task: it has this one
		s.mu.Unlock()
		if c.limit > 0 {
			c.begun = now
			s.claims.timeItem(c.slot, now)
		}
	}
	return s.claims.beginItem(c.slot)
}

// finishItem notes what became of an item.
func (s *server) finishItem(c *chunk, result []byte, failure *Failure) {
	if c.limit > 0 || c.ctx.asked.Load() {
		c.ctx.end(context.Canceled)
		s.closeReports(c.ctx)
	}
	if limit := min(s.limit-wire.ItemsHeadSize-wire.ItemHeadSize, wire.MaxItem); failure == nil && len(result) > limit {
		failure = &Failure{Kind: FailureResult, Message: fmt.Sprintf("%d bytes are over the limit of %d", len(result), limit)}
	}
	if failure != nil {
		var elapsed time.Duration
		if c.limit > 0 || c.index == 0 {
			elapsed = time.Since(c.begun)
		}
		result = append(binary.LittleEndian.AppendUint64(nil, uint64(elapsed)), encodeFailure(*failure)...)
	}
	index := c.index
	c.index++
	s.journal.note(index, result, failure != nil, len(c.rest) > 0)
}
