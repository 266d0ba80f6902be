package pool

import (
	"context"
	"iter"
)

// Pool runs tasks. NewProcessPool and NewGoroutinePool make one; a task is
// submitted to either by the same call, Task.Submit. All methods are safe from
// any goroutine.
type Pool interface {
	// Submit takes a job over and settles its future, exactly once, whatever
	// happens. It does not wait for a worker. It waits for room in a bounded
	// queue, as long as the job's context allows, unless the pool refuses then.
	// Task.Submit calls it; programs do not.
	Submit(*Job)
	// Shutdown refuses further tasks, does with the accepted ones what the mode
	// says, and returns when nothing of the pool is left. If ctx ends first, what
	// is left is killed, and the error is a *ShutdownError. A later call may
	// choose a harsher mode.
	Shutdown(ctx context.Context, mode ShutdownMode) error
	// Close is Shutdown with Drain and without end: it waits for all that was
	// accepted. It may be called more than once.
	Close() error
	// Stats returns the pool's figures of this moment.
	Stats() Stats
	// Insights tell where the workers spend their time, and which tasks took long.
	Insights() Insights
	// Events returns what happens in the pool from this call on, as it happens.
	// The sequence is for one reader. It ends when ctx does, when its loop is
	// left, or when nothing of the pool is left and all is told; do one of these,
	// since the pool keeps events for the reader until then. Nobody waits for a
	// slow reader: when 4096 events wait for it, those that follow are counted
	// instead of kept, and it is told by an EventsLost in their place. Tasks that
	// were not accepted have no events.
	Events(ctx context.Context) iter.Seq[Event]
}

// ShutdownMode says what a shutdown does with accepted tasks.
type ShutdownMode uint8

// The modes, from mild to harsh.
const (
	Drain         ShutdownMode = iota // all accepted tasks, and those that they submit themselves, run to their end
	CancelPending                     // tasks that have not begun are cancelled, running ones end by themselves
	Kill                              // tasks that have not begun are cancelled, running ones killed
)

var modeNames = [...]string{"drain", "cancel pending", "kill"}

// String returns the mode's name.
func (m ShutdownMode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return "unknown mode"
}
