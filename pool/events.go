package pool

import (
	"context"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stint-go/stint/actors"
)

// maxWaiting is how many events wait for a listener, at most.
const maxWaiting = 4096

// events tells a pool's listeners what happens. It is told under the pool's lock
// or without it, and waits for nobody. An event without a listener costs one
// look at an atomic variable.
type events struct {
	heard atomic.Bool // somebody listens

	mu        sync.Mutex
	listeners []*listener
	ended     bool
}

// listener is a reader of events. It has no goroutine but its reader's.
type listener struct {
	events *events
	ctx    context.Context
	unbind func() bool // stops watching ctx

	// By events.mu.
	arrived sync.Cond
	waiting []Event
	lost    int  // events that came when maxWaiting were waiting
	ended   bool // nothing will come any more
}

// listen adds a listener, who hears what happens from now on.
func (e *events) listen(ctx context.Context) iter.Seq[Event] {
	l := &listener{events: e, ctx: ctx}
	l.arrived.L = &e.mu
	l.unbind = context.AfterFunc(ctx, l.leave)
	e.mu.Lock()
	defer e.mu.Unlock()
	l.ended = e.ended || ctx.Err() != nil
	if !l.ended {
		e.listeners = append(e.listeners, l)
		e.heard.Store(true)
	}
	return l.all
}

// tell hands an event to the listeners.
func (e *events) tell(event Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.listeners {
		if len(l.waiting) == maxWaiting {
			l.lost++
			continue
		}
		l.waiting = append(l.waiting, event)
		l.arrived.Signal()
	}
}

// end says that nothing will happen any more. What waits is still delivered.
func (e *events) end() {
	e.mu.Lock()
	listeners := e.listeners
	e.listeners, e.ended = nil, true
	e.heard.Store(false)
	for _, l := range listeners {
		l.ended = true
		l.arrived.Broadcast()
	}
	e.mu.Unlock()
	for _, l := range listeners {
		l.unbind()
	}
}

// all is the sequence that the listener's reader ranges over.
func (l *listener) all(yield func(Event) bool) {
	defer l.unbind()
	defer l.leave()
	for batch := l.take(nil); len(batch) > 0; batch = l.take(batch) {
		for _, event := range batch {
			if l.ctx.Err() != nil || !yield(event) {
				return
			}
		}
	}
}

// take waits for events and takes all that there are; none: it is over. Those
// of the last time are read.
func (l *listener) take(read []Event) []Event {
	clear(read)
	l.events.mu.Lock()
	defer l.events.mu.Unlock()
	for len(l.waiting) == 0 && !l.ended {
		l.arrived.Wait()
	}
	batch := l.waiting
	if l.lost > 0 {
		batch = append(batch, EventsLost{time.Now(), l.lost})
	}
	l.waiting, l.lost = read[:0], 0
	return batch
}

// leave removes the listener and forgets what waits for it.
func (l *listener) leave() {
	e := l.events
	e.mu.Lock()
	defer e.mu.Unlock()
	e.listeners = slices.DeleteFunc(e.listeners, func(other *listener) bool { return other == l })
	e.heard.Store(len(e.listeners) > 0)
	l.waiting, l.lost, l.ended = nil, 0, true
	l.arrived.Broadcast()
}

// begun tells that a task began.
func (e *events) begun(j *Job, at time.Time, run Run) {
	if e.heard.Load() {
		e.tell(TaskBegun{TaskEvent{at, run, j.accepted(), int(j.attempt)}})
	}
}

// retried tells that an attempt is followed by another.
func (e *events) retried(j *Job, delay time.Duration) {
	if e.heard.Load() {
		last := j.retry.last()
		e.tell(TaskRetried{TaskEvent{time.Now(), last.Run, j.accepted(), int(j.attempt)}, last.Err, delay})
	}
}

// settled tells a task's outcome.
func (e *events) settled(j *Job, run Run, err error) {
	if !e.heard.Load() {
		return
	}
	about := TaskEvent{time.Now(), run, j.accepted() + uint64(run.Item-j.item), int(j.attempt)}
	if quarantined, ok := err.(*QuarantineError); ok {
		e.tell(TaskQuarantined{about, quarantined})
	}
	e.tell(TaskSettled{about, err})
}

// exited tells the end of a worker.
func (e *events) exited(of WorkerEvent, report actors.Report) {
	switch {
	case !e.heard.Load():
	case unkillable(report.Exit) != nil:
		e.tell(WorkerUnkillable{of, report.Cause, unkillable(report.Exit)})
	case report.Cause.Kind == actors.CauseRecycled:
		e.tell(WorkerRecycled{of, report.Cause.Err})
	default:
		e.tell(WorkerExited{of, report.Exit, report.Cause})
	}
}
