package futures

import (
	"context"
	"sync"
)

// inbox collects, for one reader, the observers whose futures have settled, in
// that order. Putting one in neither allocates nor blocks.
type inbox struct {
	mu          sync.Mutex
	first, last *observer
	filled      chan struct{} // holds a token when the list may have become non-empty
	batch       *observer     // the reader's own: what it took and has not returned yet
}

// newInbox returns an inbox that is told of each of the observers, once.
func newInbox(observers []observer) *inbox {
	b := &inbox{filled: make(chan struct{}, 1)}
	for i := range observers {
		o := &observers[i]
		o.inbox = b
		if !o.attach() {
			b.put(o)
		}
	}
	return b
}

// put adds o, which is in no list, and wakes the reader if it may be asleep.
func (b *inbox) put(o *observer) {
	b.mu.Lock()
	empty := b.first == nil
	if empty {
		b.first = o
	} else {
		b.last.next = o
	}
	b.last = o
	b.mu.Unlock()
	if empty {
		select {
		case b.filled <- struct{}{}:
		default: // the reader has a token to come back for already
		}
	}
}

// get returns the next observer, after a wait if there is none. It returns nil
// when ctx ended during that wait.
func (b *inbox) get(ctx context.Context) *observer {
	for b.batch == nil {
		b.mu.Lock()
		b.batch, b.first, b.last = b.first, nil, nil
		b.mu.Unlock()
		if b.batch != nil {
			break
		}
		select {
		case <-b.filled:
		case <-ctx.Done():
			return nil
		}
	}
	o := b.batch
	b.batch, o.next = o.next, nil
	return o
}
