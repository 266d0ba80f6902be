package worker

import (
	"io"
	"sync"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

const (
	// copyBelow is the size from which a payload is written by itself instead of
	// being copied among the small frames.
	copyBelow = 32 << 10
	// keepBelow is the size up to which a buffer of small frames is used again.
	keepBelow = 1 << 20
)

// outbox gathers the frames for one worker while the writer is busy, so that
// many small ones leave in one contiguous write. It never blocks who fills it.
type outbox struct {
	mu      sync.Mutex
	filled  sync.Cond // by mu: there is something to write, or it is closed
	next    batch     // what the writer takes next
	closed  bool
	written chan struct{} // closed when the writer has ended
}

// batch is what is written together, in the order of the frames.
type batch struct {
	whole  [][]byte // large payloads, and what goes before each
	recent []byte   // the small frames after them
}

func newOutbox() *outbox {
	o := &outbox{written: make(chan struct{})}
	o.filled.L = &o.mu
	return o
}

// task adds the frame that offers a task. A large argument is not copied, and
// must not change until the task is settled.
func (o *outbox) task(slot uint16, id uint64, name string, limit time.Duration, argument []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	b := &o.next
	header := wire.Header{Kind: wire.KindTask, Slot: slot, ID: id, Size: uint32(wire.TaskHeadSize(name) + len(argument))}
	b.recent = wire.AppendTaskHead(wire.AppendHeader(b.recent, header), name, limit)
	if len(argument) < copyBelow {
		b.recent = append(b.recent, argument...)
	} else {
		b.whole = append(b.whole, b.recent, argument)
		b.recent = nil
	}
	o.filled.Signal()
}

// raw adds bytes that are frames already.
func (o *outbox) raw(frames []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.next.recent = append(o.next.recent, frames...)
		o.filled.Signal()
	}
}

// close ends the writer; what is not written yet is dropped.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.filled.Signal()
}

// writeTo is the writer: it writes whatever there is until the outbox is closed
// or the other side does not take it.
func (o *outbox) writeTo(w io.Writer) {
	defer close(o.written)
	var b batch
	for o.take(&b) {
		if b.writeTo(w) != nil {
			o.close() // the reader sees the same end, and tells
			return
		}
	}
}

// take waits for something to write and gives it for a batch that was written.
func (o *outbox) take(b *batch) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.next.recent) == 0 && len(o.next.whole) == 0 && !o.closed {
		o.filled.Wait()
	}
	o.next, *b = *b, o.next
	return !o.closed
}

// writeTo writes and empties the batch.
func (b *batch) writeTo(w io.Writer) error {
	for _, buffer := range b.whole {
		if _, err := w.Write(buffer); err != nil {
			return err
		}
	}
	clear(b.whole)
	b.whole = b.whole[:0]
	if len(b.recent) == 0 {
		return nil
	}
	_, err := w.Write(b.recent)
	b.recent = b.recent[:0]
	if cap(b.recent) > keepBelow {
		b.recent = nil
	}
	return err
}
