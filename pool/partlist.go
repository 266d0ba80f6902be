package pool

import (
	"context"
	"sync"
	"sync/atomic"
)

// partList holds the parts of a map that were sent and not yielded to their end,
// in the order of their items. The pool settles them, from several goroutines;
// the map's loop takes what they bring, from the first of them or, if order is no
// concern, from any.
type partList[In, Out any] struct {
	ordered bool
	news    chan struct{} // holds a token when there may be something to take
	some    atomic.Bool   // there may be something to take

	mu          sync.Mutex
	first, last *part[In, Out]
	arrived     []*part[In, Out] // have something to take; unordered only
	abandoned   bool             // the loop is over: what comes is dropped
}

// partLink is a part's place in the list.
type partLink[In, Out any] struct {
	prev, next *part[In, Out]
}

func (l *partList[In, Out]) init(ordered bool) {
	l.ordered, l.news = ordered, make(chan struct{}, 1)
}

// add appends a part, before it is sent.
func (l *partList[In, Out]) add(p *part[In, Out]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.link.prev = l.last
	if l.last == nil {
		l.first = p
	} else {
		l.last.link.next = p
	}
	l.last = p
}

// drop removes a part that the pool has refused.
func (l *partList[In, Out]) drop(p *part[In, Out]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(p)
}

// remove takes a part out. Under the lock.
func (l *partList[In, Out]) remove(p *part[In, Out]) {
	if p.link.prev == nil {
		l.first = p.link.next
	} else {
		p.link.prev.link.next = p.link.next
	}
	if p.link.next == nil {
		l.last = p.link.prev
	} else {
		p.link.next.link.prev = p.link.prev
	}
	p.link = partLink[In, Out]{}
}

// settle adds the outcome of a part's next items. It does not block.
func (l *partList[In, Out]) settle(p *part[In, Out], b batch[Out]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.over += len(b.outs)
	if l.abandoned {
		return
	}
	p.ready = append(p.ready, b)
	switch {
	case !l.ordered:
		if len(p.ready) == 1 {
			l.arrived = append(l.arrived, p)
		}
	case l.first != p:
		return // its turn has not come
	}
	l.some.Store(true)
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// landed reports whether there may be something to take. It costs next to
// nothing.
func (l *partList[In, Out]) landed() bool { return l.some.Load() }

// take returns the outcome of the next items; false if there is none yet.
func (l *partList[In, Out]) take() (b batch[Out], ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.source()
	if p == nil {
		l.some.Store(false)
		return b, false
	}
	b, p.ready[0] = p.ready[0], b
	p.ready = p.ready[1:]
	if len(p.ready) == 0 {
		p.ready = nil
		if !l.ordered {
			l.arrived[0] = nil
			l.arrived = l.arrived[1:]
		}
		if p.over == p.size {
			l.remove(p)
		}
	}
	return b, true
}

// source returns the part to take from; nil if there is none. Under the lock.
func (l *partList[In, Out]) source() *part[In, Out] {
	if l.ordered {
		if l.first == nil || len(l.first.ready) == 0 {
			return nil
		}
		return l.first
	}
	if len(l.arrived) == 0 {
		l.arrived = nil
		return nil
	}
	return l.arrived[0]
}

// wait waits until there may be something to take; false: until ctx ended, and
// there is nothing.
func (l *partList[In, Out]) wait(ctx context.Context) bool {
	select {
	case <-l.news:
		return true
	case <-ctx.Done():
		return l.landed()
	}
}

// abandon ends the list: what has not begun is cancelled, and what comes is
// dropped.
func (l *partList[In, Out]) abandon() {
	l.mu.Lock()
	l.abandoned = true
	var left []*part[In, Out]
	for p := l.first; p != nil; p = p.link.next {
		if p.over < p.size {
			left = append(left, p)
		}
	}
	l.first, l.last, l.arrived = nil, nil, nil
	l.mu.Unlock()
	for _, p := range left {
		(*control)(&p.Job).Cancel()
	}
}
