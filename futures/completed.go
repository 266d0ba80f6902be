package futures

import (
	"context"
	"iter"
	"slices"
)

// AsCompleted yields each of fs once, as it settles: those that have settled
// already first, and each of the others when its turn comes. It ends when all
// have been yielded or when ctx ends, but never before what had settled until
// then has been yielded. [Completion] also tells which of the two it was.
//
// The futures may be of any pools and, as [Awaitable], of any types. Duplicates
// are yielded once. fs is read when the range begins and not retained, nor is a
// future that has been yielded. The iterator can be ranged over once; a second
// range yields nothing.
//
// It costs no goroutine, about 64 bytes a future, time linear in their number, and
// one wake-up for as many as have settled meanwhile.
func AsCompleted[F Awaitable](ctx context.Context, fs []F) iter.Seq[F] {
	c := NewCompletion(ctx, slices.Values(fs))
	c.size = len(fs)
	return c.All()
}

// Completion yields futures as [AsCompleted] does, takes them from any iterator,
// and tells afterwards whether all have come. Like a [bufio.Scanner], it is for
// one goroutine.
type Completion[F Awaitable] struct {
	ctx    context.Context
	source iter.Seq[F] // nil once the range has begun
	size   int         // of source, if known
	err    error
}

// NewCompletion returns a Completion of the futures in fs. It does nothing yet:
// the range over [Completion.All] reads fs to its end and then waits until ctx
// ends. It panics if fs is nil.
func NewCompletion[F Awaitable](ctx context.Context, fs iter.Seq[F]) *Completion[F] {
	if fs == nil {
		panic("futures: NewCompletion with a nil iterator")
	}
	return &Completion[F]{ctx: ctx, source: fs}
}

// All returns the iterator over the futures as they settle. See [AsCompleted]. It
// can be ranged over once; a second range yields nothing.
func (c *Completion[F]) All() iter.Seq[F] { return c.each }

// Err returns an [*UnfinishedError] if ctx ended before all futures had settled.
// It returns nil if all were yielded, if the caller broke out of the range, and
// before the range has ended.
func (c *Completion[F]) Err() error { return c.err }

func (c *Completion[F]) each(yield func(F) bool) {
	if c.source == nil {
		return
	}
	source, ctx := c.source, c.ctx
	c.source = nil
	observers := observe(source, c.size)
	inbox := newInbox(observers)
	defer withdraw(observers)

	unfinished := 0
	for left := len(observers); left > 0; {
		o := inbox.get(ctx)
		if o == nil {
			// What cannot be withdrawn has settled and is here or on its way, a
			// few instructions off: that much is waited for without ctx.
			unfinished = withdraw(observers)
			left -= unfinished
			ctx = context.WithoutCancel(ctx)
			continue
		}
		left--
		if !yield(take[F](o)) {
			return
		}
	}
	if unfinished > 0 {
		c.err = newUnfinishedError(c.ctx, unfinished, len(observers))
	}
}

// withdraw takes back the observers of futures that have not settled, and returns
// how many there were.
func withdraw(observers []observer) int {
	n := 0
	for i := range observers {
		if o := &observers[i]; o.future != nil && o.detach() {
			o.future = nil
			n++
		}
	}
	return n
}
