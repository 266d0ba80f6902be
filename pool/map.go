package pool

import (
	"context"
	"iter"
)

// Map runs the task for each item of a sequence and yields the results in the
// order of the items: each item's own result or error, as Submit's future would
// have it. An item that fails, hangs or takes its worker with it concerns no
// other; its number in the sequence is in the error's Run.
//
//	for out, err := range thumbnail.Map(ctx, p, slices.Values(files), pool.WithTimeout(time.Second)) { … }
//
// A map is lazy. It reads its input only while the loop asks for a result, in the
// loop's own goroutine, and never more than a window ahead of what it has yielded
// (see WithWindow). So the input may be infinite, and a map that nobody reads
// does nothing. It waits for its input, too: while that gives nothing, nothing is
// yielded.
//
// Items travel in chunks, whose size follows from how long the items run (see
// WithChunkSize). That is for speed alone: limits and failures are those of single
// items.
//
// Breaking out of the loop cancels what has not begun; what has begun runs to
// its end, and nobody hears of it. When ctx ends, so do the items that run, as
// Submit has it, the rest is cancelled, and the map yields one *MapError and ends.
//
// So it does, with one error, once all that was read before is yielded: an
// *InputError, if the input panics, and what a pool says that refuses tasks:
// ErrClosed, a *BrokenError. On a pool with a bounded queue a map waits for room,
// whatever Config.WhenFull says. What cannot be, as a chunk size below 1, is one
// *ConfigError and nothing else.
//
// Each range over the iterator is a map of its own.
func (t *Task[In, Out]) Map(ctx context.Context, p Pool, in iter.Seq[In], options ...MapOption) iter.Seq2[Out, error] {
	return t.mapped(ctx, p, in, newMapSettings(true, options))
}

// MapUnordered is Map that yields each result as soon as it is there.
func (t *Task[In, Out]) MapUnordered(ctx context.Context, p Pool, in iter.Seq[In], options ...MapOption) iter.Seq2[Out, error] {
	return t.mapped(ctx, p, in, newMapSettings(false, options))
}

func (t *Task[In, Out]) mapped(ctx context.Context, p Pool, in iter.Seq[In], s *mapSettings) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		if err := s.check(ctx, p, in == nil); err != nil {
			var none Out
			yield(none, err)
			return
		}
		m := newMapping(t, ctx, p, s, yield)
		if s.weights != nil {
			m.runByWeight(in)
		} else {
			m.run(in)
		}
	}
}

// Received yields what comes from a channel, until that is closed or ctx ends.
func Received[T any](ctx context.Context, c <-chan T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			select {
			case v, open := <-c:
				if !open || !yield(v) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// Pair is an item of Zip.
type Pair[A, B any] struct {
	First  A
	Second B
}

// Zip yields the items of two sequences by pairs, and ends with the shorter one:
// the input of a task with two arguments.
func Zip[A, B any](a iter.Seq[A], b iter.Seq[B]) iter.Seq[Pair[A, B]] {
	return func(yield func(Pair[A, B]) bool) {
		next, stop := iter.Pull(b)
		defer stop()
		for first := range a {
			second, more := next()
			if !more || !yield(Pair[A, B]{first, second}) {
				return
			}
		}
	}
}
