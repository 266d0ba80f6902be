package worker

import (
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
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

// outbox gathers the frames for one worker, so that many small ones leave in one
// contiguous write. Filling it neither blocks nor makes a system call. flush
// writes, in its caller's goroutine, as much as the socket takes at once: as a
// rule everything. Only if the worker is slow to read does a writer go on, on a
// goroutine that ends with the last byte.
type outbox struct {
	channel channel
	try     func([]byte) (int, error) // writes without waiting
	writers sync.WaitGroup            // one at most

	mu      sync.Mutex
	next    batch      // what is written next
	spare   batch      // an empty one with its buffers
	arena   *hostArena // for large arguments; nil: there is none
	writing bool       // somebody is at it, and will see what is added meanwhile
	held    bool       // what is added is not written yet
	closed  bool

	written atomic.Uint64 // the last task whose argument was written by itself
}

func newOutbox(c channel) (*outbox, error) {
	raw, err := c.out.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &outbox{channel: c, try: tryWriter(raw)}, nil
}

// errFull says that no more can be written without waiting.
var errFull = errors.New("the socket is full")

// tryWriter returns a function that writes what can be written without waiting,
// for one goroutine at a time.
func tryWriter(raw syscall.RawConn) func([]byte) (int, error) {
	var rest []byte
	var written int
	var failed error
	once := func(fd uintptr) bool {
		written, failed = writeOnce(fd, rest)
		return true // whatever became of it: do not wait
	}
	return func(p []byte) (int, error) {
		rest, written, failed = p, 0, nil
		err := raw.Write(once)
		rest = nil
		if err == nil {
			err = failed
		}
		return written, err
	}
}

// task adds the frame that offers a task, or a chunk of so many items if that is
// not 0. A large argument is not copied, and must not change until the task is
// settled.
func (o *outbox) task(slot uint16, id uint64, name string, limit time.Duration, items int, argument []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	b := &o.next
	if items == 0 && o.arena != nil && len(argument) >= LargePayload {
		b.whole = append(b.whole, piece{bytes: b.recent}, piece{large: &largeTask{o.arena, slot, id, name, limit, argument}})
		b.recent = nil
		return
	}
	header := wire.Header{Kind: wire.KindTask, Slot: slot, ID: id, Size: uint32(wire.TaskHeadSize(name) + len(argument))}
	if items > 0 {
		header.Kind = wire.KindChunk
		header.Size += wire.ChunkHeadSize
	}
	b.recent = wire.AppendTaskHead(wire.AppendHeader(b.recent, header), name, limit)
	if items > 0 {
		b.recent = wire.AppendChunkHead(b.recent, items)
	}
	b.payload(argument, id)
}

// use has large arguments copied into the arena from now on.
func (o *outbox) use(arena *hostArena) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.arena = arena
}

// values adds the frame of a task's context values.
func (o *outbox) values(id uint64, values []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.next.recent = wire.AppendFrame(o.next.recent, wire.Header{Kind: wire.KindValues, ID: id}, values)
	}
}

// reply adds a frame about a call, and flushes. A large payload is not copied.
func (o *outbox) reply(kind wire.Kind, number uint64, payload []byte) {
	o.mu.Lock()
	if !o.closed {
		b := &o.next
		b.recent = wire.AppendHeader(b.recent, wire.Header{Kind: kind, ID: number, Size: uint32(len(payload))})
		b.payload(payload, 0)
	}
	o.mu.Unlock()
	o.flush()
}

// send adds bytes that are frames already, and flushes.
func (o *outbox) send(frames []byte) {
	o.mu.Lock()
	if !o.closed {
		o.next.recent = append(o.next.recent, frames...)
	}
	o.mu.Unlock()
	o.flush()
}

// flush sees to it that what was added is written. It does not wait.
func (o *outbox) flush() {
	var b batch
	for o.take(&b, false); !b.empty(); o.take(&b, true) {
		switch err := o.writeBatch(&b, o.try, false); {
		case errors.Is(err, errFull):
			o.handOver(b)
			return
		case err != nil:
			o.giveUp()
			return
		}
	}
}

// hold keeps what is added from being written, or no longer does.
func (o *outbox) hold(held bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = held
}

// take gives what there is to write for a batch that was written; an empty one
// says that there is nothing to do for the caller. writing says that the caller
// is the one who writes, which he is until he gets an empty batch.
func (o *outbox) take(b *batch, writing bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writing && !writing {
		return
	}
	if !writing {
		*b, o.spare = o.spare, batch{}
	}
	if !o.held {
		o.next, *b = *b, o.next
	}
	o.writing = !b.empty() && !o.closed
	if !o.writing {
		*b, o.spare = batch{}, *b
	}
}

// handOver has a writer go on with what the socket did not take.
func (o *outbox) handOver(b batch) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.writers.Go(func() { o.write(b) })
}

// write is the writer: it waits for the socket until all is written, or until
// the other side is gone.
func (o *outbox) write(b batch) {
	to, done := patiently(o.channel.out, o.try)
	defer done()
	for ; !b.empty(); o.take(&b, true) {
		if o.writeBatch(&b, to, true) != nil {
			o.giveUp()
			return
		}
	}
}

// giveUp has the reader tell that the worker is lost. It would not see that by itself
// where the worker lives on and cannot read any more.
func (o *outbox) giveUp() {
	o.refuse()
	o.channel.giveUp()
}

// refuse drops what is not written and takes no more.
func (o *outbox) refuse() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.next, o.spare = true, batch{}, batch{}
}

// close returns when nobody writes any more. The socket was closed before.
func (o *outbox) close() {
	o.refuse()
	o.writers.Wait()
}

// writeBatch writes a batch and removes from it what was written. Who does not want to wait
// does not copy large arguments either: he leaves the batch to the writer there.
func (o *outbox) writeBatch(b *batch, to func([]byte) (int, error), wait bool) error {
	for len(b.whole) > 0 {
		if t := b.whole[0].large; t != nil && !wait {
			return errFull
		} else if t != nil {
			b.whole = append(t.pieces(), b.whole[1:]...)
			continue
		}
		n, err := to(b.whole[0].bytes)
		if err != nil {
			b.whole[0].bytes = b.whole[0].bytes[n:]
			return err
		}
		if of := b.whole[0].of; of > 0 {
			o.written.Store(of)
		}
		b.whole = b.whole[1:]
	}
	b.whole = nil
	if len(b.recent) == 0 {
		return nil
	}
	n, err := to(b.recent)
	if err != nil {
		b.recent = b.recent[n:]
		return err
	}
	b.recent = b.recent[:0]
	if cap(b.recent) > keepBelow {
		b.recent = nil
	}
	return nil
}
