package futures

import "iter"

// observer is the interest that one inbox has in one future. It is in one list at
// a time: in that of its future until that settles, and then in its inbox's.
//
// future and inbox belong to the reader of the inbox. next and back are guarded
// by the future's mu until it settles, then belong to whoever settled it, and
// from the delivery on next is guarded by the inbox's mu.
type observer struct {
	future Awaitable // nil once taken, so that the future is not retained
	inbox  *inbox
	next   *observer
	back   **observer // what points at this observer in its future's list; nil in none
}

// observe returns an observer for each of fs, in order and without duplicates.
// size is how many fs has, if that is known, and saves time. Duplicates are found
// by a set, since a mark in the future would do for one reader at a time only.
func observe[F Awaitable](fs iter.Seq[F], size int) []observer {
	observers := make([]observer, 0, size)
	seen := make(map[*core]struct{}, size)
	for f := range fs {
		before := len(seen)
		seen[f.base()] = struct{}{}
		if len(seen) > before {
			observers = append(observers, observer{future: f})
		}
	}
	return observers
}

// take returns the future of o, which lets go of it.
func take[F Awaitable](o *observer) F {
	f := o.future.(F)
	o.future = nil
	return f
}

// attach adds o to the list of its future and reports whether it did: false means
// that the future has settled.
func (o *observer) attach() bool {
	c := o.future.base()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Settled() {
		return false
	}
	o.next, o.back = c.observers, &c.observers
	if o.next != nil {
		o.next.back = &o.next
	}
	c.observers = o
	return true
}

// detach removes o from the list of its future, and reports whether it did or was
// in none: false means that the future has settled, and that o has been or is
// just being delivered.
func (o *observer) detach() bool {
	c := o.future.base()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Settled() {
		return false
	}
	if o.back != nil {
		*o.back = o.next
		if o.next != nil {
			o.next.back = o.back
		}
		o.next, o.back = nil, nil
	}
	return true
}

// deliver puts o and those behind it in a settled future's list into their
// inboxes. It cuts the links first: they lead into the future and to strangers.
func (o *observer) deliver() {
	for o != nil {
		next := o.next
		o.next, o.back = nil, nil
		o.inbox.put(o)
		o = next
	}
}
