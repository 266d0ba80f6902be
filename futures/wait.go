package futures

import (
	"context"
	"fmt"
	"slices"
)

// Until says what [Wait] waits for. Whatever it is, a Wait also ends when all
// futures have settled.
type Until uint8

const (
	// FirstCompleted waits until any future has settled, in whatever state.
	FirstCompleted Until = iota
	// FirstException waits until any future has failed. One that was cancelled
	// has not failed.
	FirstException
	// AllCompleted waits until all futures have settled.
	AllCompleted
)

// String returns the name of u.
func (u Until) String() string {
	switch u {
	case FirstCompleted:
		return "FirstCompleted"
	case FirstException:
		return "FirstException"
	case AllCompleted:
		return "AllCompleted"
	default:
		return fmt.Sprintf("Until(%d)", uint8(u))
	}
}

// metBy reports whether one future in the state s is all that u waits for.
func (u Until) metBy(s State) bool {
	return u == FirstCompleted && s.Settled() || u == FirstException && s == Failed
}

// Wait waits until the condition holds or ctx ends, and returns the futures that
// have settled and those that have not, each in the order of fs and without
// duplicates. If ctx ended before the condition held, err is an
// [*UnfinishedError]; done and pending are valid all the same. It panics if until
// is none of the three conditions.
//
// The futures may be of any pools and, as [Awaitable], of any types. Wait costs
// time and memory linear in len(fs) and leaves nothing behind in a future that
// goes on, so one that lives long can be waited on any number of times.
func Wait[F Awaitable](ctx context.Context, fs []F, until Until) (done, pending []F, err error) {
	if until > AllCompleted {
		panic("futures: Wait for unknown condition " + until.String())
	}
	observers := observe(slices.Values(fs), len(fs))
	await(ctx, observers, until)
	// What is told is as of now: more may have settled since.
	met := false
	for i := range observers {
		o := &observers[i]
		f := o.future.(F)
		if o.detach() {
			pending = append(pending, f)
			continue
		}
		done = append(done, f)
		met = met || until.metBy(f.State())
	}
	if len(pending) > 0 && !met {
		err = newUnfinishedError(ctx, len(pending), len(observers))
	}
	return done, pending, err
}

// await returns when the condition holds or ctx has ended. The observers stay
// attached.
func await(ctx context.Context, observers []observer, until Until) {
	inbox := newInbox(observers)
	for range observers {
		o := inbox.get(ctx)
		if o == nil || until.metBy(o.future.State()) {
			return
		}
	}
}
