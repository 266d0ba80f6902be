package pool

import (
	"errors"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/runtime/worker"
)

// member is one worker process as its pool sees it. Its process's actor (as
// actors.Owner) and its link's reader (as worker.Receiver) tell it what happens;
// its time limits are in deadline.go, the end of its tasks in kill.go, its own in
// death.go.
type member struct {
	pool    *ProcessPool
	number  int
	link    *worker.Link
	process *actors.Process // from Started on

	// What follows is under the pool's lock.
	ready  bool
	active bool                    // is given work; the others that are ready are spares
	gone   bool                    // its exit has been told
	asked  bool                    // to leave
	unfit  *worker.InitializeError // how its initializer has failed
	cut    bool                    // its channel has ended, or is not trusted any more
	idle   bool                    // in pool.idle
	since  time.Time               // when it became so
	service
	meter meter
	// sent are the jobs with this worker, in the order of their offers. The first
	// ones may be over, their results on the way; of the rest one at most has begun.
	sent       jobList
	lane       *lane // of the first of sent; nil: there is none
	slots      [worker.Slots]slot
	free       []uint16 // slots to offer in
	lastID     uint64
	lastTask   *definition // of the last result; nil: there was none
	condemned  *Job        // is being ended; until it is over the worker gets nothing else
	hopeless   *Job        // has ended too many workers that were to begin it; ends with this one
	pardoning  bool        // it was over in time, and the answer to Spare is awaited
	slow       bool        // has not begun its first job for a while; gets nothing until it gives a sign of life
	firstSince time.Time   // when the first of sent became the first
	taking     time.Time   // see time; zero: the present
	unread     int         // bytes of arguments that it may have to read yet
	pace       pace
	tally      *tally // from Started on
	alarm      alarm
	inquiry    inquiry // into the condemned job
	errands    errands
	cause      actors.Cause // why it was killed, if it was given up

	arrived []arrival // the reader's own, used again for each batch
}

// slot is what stands in one slot of the claim table: nothing (id 0), a job, or
// one that was withdrawn (job nil) and that the worker has not passed yet.
type slot struct {
	id   uint64
	job  *Job
	size int // of its argument
}

var (
	_ actors.Mourner  = (*member)(nil)
	_ worker.Receiver = (*member)(nil)
)

func (m *member) open(link *worker.Link) {
	m.link = link
	m.free = make([]uint16, worker.Slots)
	for i := range m.free {
		m.free[i] = uint16(worker.Slots - 1 - i)
	}
	m.alarm.bell = m.pool.host.Reactor().NewAlarm(m.alarmRings)
	m.openService()
}

// available reports whether the worker may be given work. Under the lock.
func (m *member) available() bool {
	return m.active && !m.cut && m.leaving == nil && m.condemned == nil && !m.pardoning && !m.slow && !m.lends()
}

// lends reports whether the worker's task has submitted others that are not done,
// so that another worker works in its place. Under the lock.
func (m *member) lends() bool {
	j := m.sent.first
	return j != nil && j.brood != nil && j.brood.jobs > 0
}

// offer sends a job to the worker. Under the lock; the worker is available and
// has a free slot.
func (m *member) offer(j *Job) {
	n := m.free[len(m.free)-1]
	m.free = m.free[:len(m.free)-1]
	m.lastID++
	j.borrowed = j.borrowed && j.id == 0 // else another worker may be reading it yet
	j.state, j.member, j.slot, j.id, j.begunAt = jobSent, m, n, m.lastID, 0
	m.slots[n] = slot{id: j.id, job: j, size: len(j.argument)}
	m.unread += len(j.argument)
	if m.sent.length > 0 {
		m.pool.ahead++
	}
	if j.chunk != nil {
		m.pool.chunks++
	}
	m.sent.pushBack(j)
	if m.sent.length == 1 {
		m.process.SetBusy(true)
		m.lane = m.pool.queue.serves(j, m.lane)
		m.expect(j)
	}
	if j.carried != nil {
		m.link.Carry(j.id, *j.carried)
	}
	if c := j.chunk; c != nil {
		c.begun, c.timed, c.ended, c.looked, c.rested = 0, 0, 0, 0, 0
		m.link.OfferChunk(n, j.id, j.task.name, j.limits.running, c.items, j.argument)
	} else {
		m.link.Offer(n, j.id, j.task.name, j.limits.running, j.argument)
	}
}

// remove takes a job off the worker's list. Under the lock.
func (m *member) remove(j *Job) {
	if m.sent.length > 1 {
		m.pool.ahead--
	}
	if j.chunk != nil {
		m.pool.chunks--
	}
	first := m.sent.first == j
	j.unlink()
	switch {
	case m.sent.length == 0:
		m.process.SetBusy(false)
		m.lane = m.pool.queue.serves(nil, m.lane)
	case first:
		m.lane = m.pool.queue.serves(m.sent.first, m.lane)
		m.expect(m.sent.first)
	}
}

// withdraw takes a job back from the worker; false if it has begun. What was known
// to have begun once, or is being ended as such, stays, whatever the worker writes
// into its claim afterwards. The slot stays taken until the worker has passed it.
// Under the lock.
func (m *member) withdraw(j *Job) bool {
	if j.begunAt != 0 || m.condemned == j || !m.link.Withdraw(j.slot, j.id) {
		return false
	}
	m.slots[j.slot].job = nil
	m.remove(j)
	return true
}

// withdrawAll takes back every job that has not begun, and what has not begun of a
// chunk, to where it was in the queue. Under the lock.
func (m *member) withdrawAll() {
	j := m.sent.last
	for ; j != nil && m.withdraw(j); j = m.sent.last {
		if m.slow {
			j.moved++
		}
		m.pool.requeue(j)
	}
	if j != nil && m.begun(j) {
		m.reclaim(j)
	}
}

// describe describes the job's run at this worker, for errors.
func (m *member) describe(j *Job, elapsed time.Duration) Run {
	run := j.asRun()
	run.Worker, run.PID, run.Elapsed = m.number, m.process.PID(), elapsed
	return run
}

// account notes how long an attempt has run. Under the lock.
func (m *member) account(j *Job, elapsed time.Duration) {
	if m.pool.insights.note(m.tally, elapsed) {
		m.pool.insights.rank(m.describe(j, elapsed))
	}
}

// event describes the worker, for events.
func (m *member) event() WorkerEvent {
	return WorkerEvent{Time: time.Now(), Worker: m.number, PID: m.process.PID()}
}

// Started implements actors.Owner: the process runs.
func (m *member) Started(process *actors.Process) {
	m.process = process
	m.pool.links.Add(1)
	m.pool.mu.Lock()
	m.tally = m.pool.insights.begin(m.event())
	m.pool.mu.Unlock()
	if e := &m.pool.events; e.heard.Load() {
		e.tell(WorkerStarted{m.event()})
	}
	m.link.Start()
}

// StartFailed implements actors.Owner: there never was a process.
func (m *member) StartFailed(error) {
	m.link.Close()
	m.link.Release()
}

// Ready implements worker.Receiver: the handshake and the initializer have
// succeeded.
func (m *member) Ready() {
	m.process.Ready()
	p := m.pool
	p.mu.Lock()
	defer p.unlock()
	if m.gone {
		return
	}
	m.ready, p.wasReady, m.tally.ready = true, true, time.Now()
	p.members[m] = struct{}{}
	closeOnce(p.ready)
	if p.events.heard.Load() {
		p.events.tell(WorkerReady{m.event()})
	}
	m.beginService()
	p.staff(m)
	p.trim()
	p.dispatch()
}

// Closed implements worker.Receiver: the channel has ended.
func (m *member) Closed(err error) {
	m.pool.mu.Lock()
	errors.As(err, &m.unfit)
	ended := m.unfit != nil && m.unfit.Failure == nil
	m.cutOff()
	m.pool.dispatch()
	m.pool.unlock()
	if err != nil && !ended { // else its exit, which says why, is mostly on its way
		m.process.Kill(actors.Ladder{}, m.channelCause(err))
	}
	m.process.ChannelClosed()
	m.pool.links.Done()
}

// channelCause says what a channel's bad end makes of its process: before it was
// ready it has failed to start, afterwards it has broken the protocol.
func (m *member) channelCause(err error) actors.Cause {
	m.pool.mu.Lock()
	ready := m.ready
	m.pool.mu.Unlock()
	if ready {
		return actors.Cause{Kind: actors.CauseProtocol, Err: err}
	}
	var handshake *worker.HandshakeError
	if errors.Is(err, worker.ErrNoMain) || errors.As(err, &handshake) && handshake.Mismatch {
		err = actors.Permanent(err) // the next one would say the same
	}
	return actors.Cause{Kind: actors.CauseStart, Err: err}
}
