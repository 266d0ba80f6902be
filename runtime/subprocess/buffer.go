package subprocess

import "sync"

// buffer keeps the first and the last bytes of what is written to it. It may be
// read while it is written.
type buffer struct {
	first, last int // how many bytes of each are kept

	mu      sync.Mutex
	head    []byte
	tail    []byte // a ring when it is full
	oldest  int    // where in tail the ring begins
	dropped int64
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(p), b.first-len(b.head))
	b.head = append(b.head, p[:n]...)
	b.keepLast(p[n:])
	return len(p), nil
}

func (b *buffer) keepLast(p []byte) {
	if over := len(p) - b.last; over > 0 { // only its end can stay
		b.dropped += int64(over + len(b.tail))
		b.tail, b.oldest = append(b.tail[:0], p[over:]...), 0
		return
	}
	n := min(len(p), b.last-len(b.tail))
	b.tail = append(b.tail, p[:n]...)
	for p = p[n:]; len(p) > 0; p = p[n:] {
		n = copy(b.tail[b.oldest:], p)
		b.oldest = (b.oldest + n) % len(b.tail)
		b.dropped += int64(n)
	}
}

// kept returns what is kept, how many bytes are missing, and where. What it
// returns does not change any more.
func (b *buffer) kept() (content []byte, dropped int64, at int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.tail) == 0 {
		return b.head[:len(b.head):len(b.head)], b.dropped, len(b.head)
	}
	content = make([]byte, 0, len(b.head)+len(b.tail))
	content = append(content, b.head...)
	content = append(content, b.tail[b.oldest:]...)
	content = append(content, b.tail[:b.oldest]...)
	return content, b.dropped, len(b.head)
}
