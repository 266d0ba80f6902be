package pool

import (
	"errors"
	"fmt"
	"time"

	"github.com/stint-go/stint/actors"
)

// Recycle says when a worker is replaced though nothing is wrong with it: because
// what its tasks use leaks, or ages. It never costs a task: a worker that has one
// finishes it first, its finalizer runs, and a further process is started
// meanwhile. It is told as recycled (Stats.Recycled, WorkerRecycled), never as a
// failure. The zero value: never.
type Recycle struct {
	// Tasks is how many tasks a worker runs, exactly: the next one runs in another
	// process. A chunk of a map is one task. Default 0: any number.
	Tasks int
	// Age is how long a worker works. It goes on until its replacement is ready.
	// Default 0: for ever.
	Age time.Duration
	// Idle is how long a worker may have nothing to do. It ends then if there are
	// more than Config.MinWorkers, and is else replaced if it ever had a task.
	// Default: 30 s if Config.MinWorkers is set, else 0: for ever.
	Idle time.Duration
	// Memory is how many bytes of memory a worker may have resident (its RSS), not
	// counting what its own child processes have. It is looked at when a task has
	// ended, at most each 10 ms, and each second while one runs; a worker over the
	// limit gets no more, and is replaced when its task is over. Linux only. Default
	// 0: any number.
	Memory int64
}

// service is how long a worker is to serve. Under the pool's lock.
type service struct {
	served  int   // tasks that it has ended
	worn    error // why it is to be replaced; it works until then
	leaving error // why it gets nothing more, and leaves when it has nothing left
	sentOff bool  // it was told to leave
	age     alarm // rings when it has served for long enough
	weighed time.Time
}

const (
	// weighPause is the time between two looks at a worker's memory when its tasks
	// end, weighEvery when they do not; see meter.
	weighPause = 10 * time.Millisecond
	weighEvery = time.Second
)

// openService makes the clocks of a worker's service.
func (m *member) openService() {
	if m.pool.config.Recycle.Age > 0 {
		m.age.bell = m.pool.host.Reactor().NewAlarm(m.ageRings)
	}
}

// beginService starts them: the worker is ready. Under the lock.
func (m *member) beginService() {
	if limit := m.pool.config.Recycle.Age; limit > 0 {
		m.age.setAt(time.Now().Add(limit))
	}
}

// endService stops them: the worker has ended. Under the lock.
func (m *member) endService(cause actors.CauseKind) {
	for _, a := range []*alarm{&m.age, &m.meter.look} {
		if a.bell != nil {
			a.Stop()
		}
	}
	if cause == actors.CauseRecycled && !errors.Is(m.leaving, errSurplus) {
		m.pool.recycled++
	}
}

// checkService dismisses a worker that has run its number of tasks. Under the
// lock.
func (m *member) checkService() {
	if limit := m.pool.config.Recycle.Tasks; limit > 0 && m.served >= limit {
		m.dismiss(fmt.Errorf("it has run its %d tasks", limit))
	}
}

// wear has a worker replaced, which works until its replacement is ready. Under
// the lock.
func (m *member) wear(why error) {
	if m.worn == nil && m.leaving == nil {
		m.worn = why
		m.process.Retire()
	}
}

// dismiss gives a worker nothing more; it leaves when it has nothing left. Under
// the lock.
func (m *member) dismiss(why error) {
	if m.leaving != nil || m.cut || m.gone {
		return
	}
	m.leaving = why
	if m.worn != nil {
		m.leaving = m.worn
	}
	m.process.Retire()
	m.withdrawAll()
	m.pool.retire(m)
	m.leaveIfDone()
}

// leaveIfDone tells a worker that is dismissed to leave, if it has nothing left.
// Under the lock.
func (m *member) leaveIfDone() {
	if m.leaving == nil || m.sentOff || m.cut || m.sent.length > 0 || m.condemned != nil || m.pardoning {
		return
	}
	m.sentOff = true
	m.process.Kill(m.pool.farewell(), actors.Cause{Kind: actors.CauseRecycled, Err: m.leaving})
}

// ageRings has a worker replaced that has served for long enough.
func (m *member) ageRings() {
	m.pool.mu.Lock()
	defer m.pool.unlock()
	if !m.gone {
		m.wear(fmt.Errorf("it has served for %v", m.pool.config.Recycle.Age))
	}
}

// dueToWeigh reports whether it is time to look at the worker's memory, since a
// task has ended. Under the lock.
func (m *member) dueToWeigh() bool {
	if m.pool.config.Recycle.Memory == 0 || time.Since(m.weighed) < weighPause {
		return false
	}
	m.weighed = time.Now()
	return true
}

// weigh looks at the worker's memory. Without the lock: the system may make it
// wait.
func (m *member) weigh() {
	has, err := residentMemory(m.process.PID())
	if err != nil {
		return // it is gone
	}
	m.pool.mu.Lock()
	defer m.pool.unlock()
	m.checkWeight(has)
}

// checkWeight dismisses a worker that has more memory resident than it may. Under the
// lock.
func (m *member) checkWeight(has int64) {
	if limit := m.pool.config.Recycle.Memory; limit > 0 && has > limit {
		m.dismiss(fmt.Errorf("it had %d bytes of memory, over its limit of %d", has, limit))
		m.pool.dispatch()
	}
}
