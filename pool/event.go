package pool

import (
	"fmt"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

// Event is something that has happened in a pool; see Pool.Events. It is one of
// WorkerStarted, WorkerReady, WorkerRecycled, WorkerExited, WorkerUnkillable, TaskBegun,
// TaskRetried, TaskQuarantined, TaskSettled and EventsLost, to switch on. Events are values and may be kept.
type Event interface {
	// When returns the time at which it happened.
	When() time.Time
	// String describes the event in one line.
	String() string

	event()
}

// WorkerEvent is what each event about a worker tells.
type WorkerEvent struct {
	Time   time.Time
	Worker int // its number in the pool, from 1
	PID    int // of its process; 0 in a goroutine pool
}

// When returns the time at which it happened.
func (e WorkerEvent) When() time.Time { return e.Time }
func (e WorkerEvent) event()          {}

// String names the worker and, if it has one, its process.
func (e WorkerEvent) String() string {
	if e.PID == 0 {
		return fmt.Sprintf("worker %d", e.Worker)
	}
	return fmt.Sprintf("worker %d (pid %d)", e.Worker, e.PID)
}

// TaskEvent is what each event about an accepted task tells.
type TaskEvent struct {
	Time    time.Time
	Run            // of this attempt
	Job     uint64 // the task's number in the pool, from 1, in the order of acceptance
	Attempt int    // how often it has begun by then; 0: it has not
}

// When returns the time at which it happened.
func (e TaskEvent) When() time.Time { return e.Time }
func (e TaskEvent) event()          {}

// String names job, attempt and run.
func (e TaskEvent) String() string {
	return fmt.Sprintf("job %d, attempt %d, %v", e.Job, e.Attempt, e.Run)
}

// WorkerStarted: a worker's process runs. The last event of each worker that
// has started is a WorkerRecycled or a WorkerExited, or a WorkerUnkillable if it
// outlives the pool.
type WorkerStarted struct{ WorkerEvent }

// String implements Event.
func (e WorkerStarted) String() string { return e.WorkerEvent.String() + " started" }

// WorkerReady: a worker can be given tasks.
type WorkerReady struct{ WorkerEvent }

// String implements Event.
func (e WorkerReady) String() string { return e.WorkerEvent.String() + " is ready" }

// WorkerRecycled: a worker has ended because it had served its time.
type WorkerRecycled struct {
	WorkerEvent
	Reason error // which of its limits it had reached
}

// String implements Event.
func (e WorkerRecycled) String() string {
	return fmt.Sprintf("%v was recycled: %v", e.WorkerEvent, e.Reason)
}

// WorkerExited: a worker has ended in any other way. Cause tells why: CauseNone
// if nobody here meant it. A goroutine pool tells it of a goroutine that ends or
// is abandoned; then Exit says nothing.
type WorkerExited struct {
	WorkerEvent
	Exit  reactor.Exit
	Cause actors.Cause
}

// String implements Event.
func (e WorkerExited) String() string {
	if e.PID == 0 {
		return fmt.Sprintf("%v ended; cause: %v", e.WorkerEvent, e.Cause)
	}
	return fmt.Sprintf("%v %v; cause: %v", e.WorkerEvent, e.Exit, e.Cause)
}

// WorkerUnkillable: a worker was killed and has not ended in time. Its task has failed
// with an *UnkillableError, and another worker takes its place. If it goes while the
// pool is there, its WorkerExited or WorkerRecycled follows then.
type WorkerUnkillable struct {
	WorkerEvent
	Cause actors.Cause // why it was killed
	Err   error        // what is known of it
}

// String implements Event.
func (e WorkerUnkillable) String() string { return fmt.Sprintf("%v: %v", e.WorkerEvent, e.Err) }

// TaskBegun: a task runs, or ran. A worker process sends no word of it: Time is
// when it began, and the event comes when the pool has learnt it, about 10 ms
// later, or just before the event of the attempt's end if that is earlier. Items
// of a map that travel together have one such event, that of the first.
type TaskBegun struct{ TaskEvent }

// String implements Event.
func (e TaskBegun) String() string { return e.TaskEvent.String() + ": begun" }

// TaskRetried: an attempt has failed, and another will follow.
type TaskRetried struct {
	TaskEvent
	Err   error         // the attempt's
	Delay time.Duration // before the task waits for a worker again
}

// String implements Event.
func (e TaskRetried) String() string {
	return fmt.Sprintf("job %d, attempt %d: %v; again in %v", e.Job, e.Attempt, e.Err, e.Delay)
}

// TaskQuarantined: a task has ended too many workers in a row; it is not tried
// again. Its TaskSettled follows.
type TaskQuarantined struct {
	TaskEvent
	Err *QuarantineError
}

// String implements Event.
func (e TaskQuarantined) String() string {
	return fmt.Sprintf("job %d, attempt %d: %v", e.Job, e.Attempt, e.Err)
}

// TaskSettled: an accepted task has its outcome; each gets exactly one of these,
// just before its future settles.
type TaskSettled struct {
	TaskEvent
	Err error // the future's error; nil: it has succeeded
}

// String implements Event.
func (e TaskSettled) String() string {
	if e.Err == nil {
		return e.TaskEvent.String() + ": succeeded"
	}
	return fmt.Sprintf("job %d, attempt %d: %v", e.Job, e.Attempt, e.Err)
}

// EventsLost: the listener was so slow that this many events, which came after
// the ones before, were not kept for it.
type EventsLost struct {
	Time  time.Time
	Count int
}

// When returns the time at which this was told.
func (e EventsLost) When() time.Time { return e.Time }
func (e EventsLost) event()          {}

// String implements Event.
func (e EventsLost) String() string { return fmt.Sprintf("%d events were lost", e.Count) }
