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
	under   atomic.Int32  // way: parts that are not over

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
	l.under.Add(1)
	l.insert(p, l.last)
}

// insert puts a part behind another one, or to the front. Under the lock.
func (l *partList[In, Out]) insert(p, behind *part[In, Out]) {
	p.link = partLink[In, Out]{prev: behind}
	if behind == nil {
		p.link.next, l.first = l.first, p
	} else {
		p.link.next, behind.link.next = behind.link.next, p
	}
	if p.link.next == nil {
		l.last = p
	} else {
		p.link.next.link.prev = p
	}
}

// drop removes a part that the pool has refused.
func (l *partList[In, Out]) drop(p *part[In, Out]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.under.Add(-1)
	l.remove(p)
}

// split makes the items of a part from the given one on another part; false:
// nobody waits for them.
func (l *partList[In, Out]) split(p, tail *part[In, Out], at int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	tail.size, p.size = p.size-at, at
	if !l.abandoned {
		l.under.Add(1)
		l.insert(tail, p)
	}
	if p.over == p.size {
		l.finish(p)
	}
	return !l.abandoned
}

// finish notes that a part is over. Under the lock.
func (l *partList[In, Out]) finish(p *part[In, Out]) {
	l.under.Add(-1)
	if len(p.ready) == 0 {
		first := l.first == p
		l.remove(p)
		if first {
			l.announce() // the next one's turn has come
		}
	}
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
	l.settleLocked(p, b)
}

// fail settles all of a part's items that are not, with an error.
func (l *partList[In, Out]) fail(p *part[In, Out], err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settleLocked(p, failedBatch[Out](p.size-p.over, err))
}

// settleLocked is settle under the lock.
func (l *partList[In, Out]) settleLocked(p *part[In, Out], b batch[Out]) {
	if len(b.outs) == 0 {
		return
	}
	b.first = p.item - 1 + p.over
	if !l.abandoned {
		p.ready = append(p.ready, b)
	}
	if p.over += len(b.outs); p.over == p.size {
		l.finish(p)
	}
	if l.abandoned {
		return
	}
	switch {
	case !l.ordered:
		if len(p.ready) == 1 {
			l.arrived = append(l.arrived, p)
		}
	case l.first != p:
		return // its turn has not come
	}
	l.announce()
}

// announce tells the loop that there may be something to take. Under the lock.
func (l *partList[In, Out]) announce() {
	l.some.Store(true)
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// underWay is how many parts are not over. It costs next to nothing.
func (l *partList[In, Out]) underWay() int { return int(l.under.Load()) }

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
	l.abandoned, l.arrived = true, nil
	left := l.unfinished()
	for p := l.first; p != nil; p = p.link.next {
		p.ready = nil
	}
	l.mu.Unlock()
	for _, p := range left {
		if (*control)(&p.Job).Cancel() {
			p.cancel(nil) // as its future would have done
		}
	}
}

// unfinished returns the parts that are not over. Under the lock.
func (l *partList[In, Out]) unfinished() (left []*part[In, Out]) {
	for p := l.first; p != nil; p = p.link.next {
		if p.over < p.size {
			left = append(left, p)
		}
	}
	return left
}
