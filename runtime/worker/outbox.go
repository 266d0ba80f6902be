package worker

import (
	"io"
	"sync"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// copyBelow is the size from which a payload is written by itself instead of
// being copied among the small frames.
const copyBelow = 32 << 10

// outbox gathers the frames for one worker while the writer is busy, so that
// many small ones leave in one contiguous write. It never blocks who fills it.
type outbox struct {
	mu      sync.Mutex
	filled  sync.Cond // by mu: there is something to write, or it is closed
	whole   [][]byte  // full buffers and large payloads, in order
	recent  []byte    // small frames after them
	spare   []byte    // the buffer that the writer has finished with
	closed  bool
	written chan struct{} // closed when the writer has ended
}

func newOutbox() *outbox {
	o := &outbox{written: make(chan struct{})}
	o.filled.L = &o.mu
	return o
}

// frame adds one frame whose payload is head followed by body; body is not
// copied when it is large, and must not change until the task is settled.
func (o *outbox) frame(h wire.Header, head func([]byte) []byte, headSize int, body []byte) {
	h.Size = uint32(headSize + len(body))
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.recent = wire.AppendHeader(o.recent, h)
	if head != nil {
		o.recent = head(o.recent)
	}
	if len(body) < copyBelow {
		o.recent = append(o.recent, body...)
	} else {
		o.whole = append(o.whole, o.recent, body)
		o.recent = nil
	}
	o.filled.Signal()
}

// raw adds bytes that are frames already.
func (o *outbox) raw(frames []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.recent = append(o.recent, frames...)
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
	for {
		whole, recent, ok := o.take()
		if !ok {
			return
		}
		for _, buffer := range append(whole, recent) {
			if len(buffer) == 0 {
				continue
			}
			if _, err := w.Write(buffer); err != nil {
				o.close() // the reader sees the same end, and tells
				return
			}
		}
		o.giveBack(recent)
	}
}

func (o *outbox) take() (whole [][]byte, recent []byte, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.recent) == 0 && len(o.whole) == 0 && !o.closed {
		o.filled.Wait()
	}
	if o.closed {
		return nil, nil, false
	}
	whole, recent = o.whole, o.recent
	o.whole, o.recent, o.spare = nil, o.spare[:0], nil
	return whole, recent, true
}

func (o *outbox) giveBack(buffer []byte) {
	if cap(buffer) > 1<<20 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spare = buffer[:0]
}
