package worker

import "time"

// This file is the host's end of a chunk: a run of items that is offered as one
// task is. Its methods are under the same rule as Offer.

// OfferChunk is Offer for several items of a task, to be run one after another,
// each within the limit.
func (l *Link) OfferChunk(slot uint16, id uint64, task string, limit time.Duration, count int, items Items) {
	l.guarded(func() { l.claims.offerChunk(slot, id, count) })
	l.outbox.task(slot, id, task, limit, count, items)
}

// Span tells which items of a chunk the worker has not begun: those from next to
// end. Both are what the worker's memory says, which may be anything.
func (l *Link) Span(slot uint16) (next, end int) {
	l.guarded(func() { next, end = l.claims.span(slot) })
	return next, end
}

// Shorten takes up to n items of a chunk that has begun back, from its end, at
// once and for good. It returns how many: fewer if the worker has begun the
// others, none if it has written nonsense.
func (l *Link) Shorten(slot uint16, end, n int) (shortened int) {
	l.guarded(func() { shortened = l.claims.shorten(slot, end, n) })
	return shortened
}

// Noted returns the results that a worker which is gone had noted of a chunk and
// not sent, and perhaps some that it had: from the item of index first on. They
// are as the worker wrote them.
func (l *Link) Noted(id uint64) (first int, items Items) {
	l.guarded(func() { first, items = journalIn(l.claims.mapping).read(id) })
	return first, items
}
