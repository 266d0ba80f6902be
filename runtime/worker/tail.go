package worker

import (
	"io"
	"sync"
)

// TailSize is how much of a worker's standard error is kept for its errors.
const TailSize = 16 << 10

// tail passes on what it is given and keeps the last TailSize bytes of it.
type tail struct {
	onward io.Writer

	mu      sync.Mutex
	ring    []byte // allocated with the first byte
	written int64
}

// Write keeps p and passes it on. An error of the onward writer is dropped: a
// worker must not stop because its host's standard error is gone.
func (t *tail) Write(p []byte) (int, error) {
	t.keep(p)
	if t.onward != nil {
		_, _ = t.onward.Write(p)
	}
	return len(p), nil
}

func (t *tail) keep(p []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ring == nil {
		t.ring = make([]byte, TailSize)
	}
	if skip := len(p) - TailSize; skip > 0 {
		t.written += int64(skip)
		p = p[skip:]
	}
	for len(p) > 0 {
		n := copy(t.ring[t.written%TailSize:], p)
		t.written += int64(n)
		p = p[n:]
	}
}

// String returns what is kept, oldest byte first.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.written <= TailSize {
		return string(t.ring[:t.written])
	}
	at := t.written % TailSize
	return string(t.ring[at:]) + string(t.ring[:at])
}
