package worker

import "sync"

// TailSize is how much of a worker's standard error is kept for its errors.
const TailSize = 16 << 10

// tail keeps the last TailSize bytes of what it is given.
type tail struct {
	mu      sync.Mutex
	ring    []byte // allocated with the first byte
	written int64
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
