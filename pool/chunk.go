package pool

import (
	"errors"
	"time"

	"github.com/stint-go/stint/runtime/worker"
)

// This file is about jobs that are several items of a map: a process pool's
// worker runs them one after another, each for itself. What it has not begun of
// them can be taken back from the end, item by item, at any time.

// chunk is what such a job is beyond a task. Under the pool's lock.
type chunk struct {
	work     chunkWork
	items    int       // not taken back
	begun    int       // of these, begun as far as is known; see member.next
	told     int       // of these, whose results have come
	timed    int       // the items that had begun when begunAt of the job was set
	ended    int       // the item that its worker is being ended for, from 1
	looked   int       // the items that had begun when an idle worker last looked
	lookedAt time.Time // when that was
	rested   int       // the item before which the worker was seen at none, from 1
	restedAt time.Time // when that was first
	settling int       // arrivals of it that its worker's reader is about to settle
	last     func()    // settles what is left, when the reader has settled these; nil: nothing is
}

// chunkWork is a chunk's typed side.
type chunkWork interface {
	// split makes a job of the items from the given one on, which were taken back;
	// nil: nobody waits for them any more.
	split(at int) *Job
	// decodeItems decodes the results of the next items and keeps them for
	// settleItems. It returns the errors of those that failed.
	decodeItems(m *member, a *arrival) []failure
	// settleItems tells those who wait for them.
	settleItems()
	// measured is told how long the items of a chunk that is over have run.
	measured(items int, elapsed time.Duration)
}

// open is how many of a job's tasks are not settled.
func (j *Job) open() int {
	if j.chunk == nil {
		return 1
	}
	return j.chunk.items - j.chunk.told
}

// next tells how many items of a chunk its worker has begun: the first with the
// chunk, as nothing is between but to decode the values of its context. Of the
// others it is what the worker's memory says, within what can be: not fewer than
// it has said before, of which alone results are taken, and no more than there are.
// Under the lock.
func (m *member) next(j *Job) int {
	c := j.chunk
	next, _ := m.link.Span(j.slot)
	if m.begun(j) {
		next = max(next, 1)
	}
	c.begun = max(c.begun, min(next, c.items))
	return c.begun
}

// shorten takes up to n items back from the end of a chunk that has begun, and
// returns a job of them; nil: there are none, or nobody waits for them, or their
// context has ended. Under the lock.
func (m *member) shorten(j *Job, n int) *Job {
	c := j.chunk
	n = m.link.Shorten(j.slot, c.items, min(n, c.items-m.next(j)))
	if n == 0 {
		return nil
	}
	c.items -= n
	tail := c.work.split(c.items)
	if tail == nil || !m.pool.contexts.join(tail, j) {
		m.pool.outcomes.forget(j, c.items, n)
		return nil
	}
	m.pool.live++
	return tail
}

// reclaim takes back all that a worker has not begun of a chunk, to the head of
// the queue. Under the lock.
func (m *member) reclaim(j *Job) {
	if j.chunk == nil {
		return
	}
	if tail := m.shorten(j, j.chunk.items); tail != nil {
		m.pool.requeue(tail)
	}
}

const (
	// worthSharing is how much work must be left of a chunk for an idle worker to
	// take half of it.
	worthSharing = time.Millisecond
	// lookAgain is how soon an idle worker looks again at a chunk of which less is
	// left: an item may hang.
	lookAgain = slowAfter
)

// shareChunk takes half of what is left of the longest chunk back, for an idle
// worker. Under the lock.
func (p *ProcessPool) shareChunk() {
	var longest *Job
	var most time.Duration
	now := time.Now()
	for m := range p.members {
		if j := m.sent.last; j != nil && j.chunk != nil && m.condemned == nil && !m.cut {
			if left := m.workLeft(j, now); left > most {
				longest, most = j, left
			}
		}
	}
	switch {
	case longest == nil:
	case most < worthSharing:
		longest.member.alarm.setAt(now.Add(lookAgain))
	default:
		m := longest.member
		if half := m.shorten(longest, (longest.chunk.items-m.next(longest)+1)/2); half != nil {
			p.requeue(half)
		}
	}
}

// workLeft estimates how long the items of a chunk that have not begun will run:
// as those before them, or, if the one that runs has not changed for a while, for
// ever. Under the lock.
func (m *member) workLeft(j *Job, now time.Time) time.Duration {
	c, next := j.chunk, m.next(j)
	left := c.items - next
	if left == 0 || next == 0 {
		return 0
	}
	if next == c.looked && now.Sub(c.lookedAt) > worthSharing {
		return time.Hour
	}
	if next != c.looked {
		c.looked, c.lookedAt = next, now
	}
	return max(1, now.Sub(m.firstSince)/time.Duration(next)*time.Duration(left))
}

// relieve has idle workers take over from one that has been at its chunk for
// long. Under the lock.
func (p *ProcessPool) relieve() {
	if p.chunks > 0 && len(p.idle) > 0 && p.queue.length == 0 {
		p.shareChunk()
		p.dispatch()
	}
}

// follow brings a chunk's beginning up to that of the item that runs, if its items
// are timed, and a hostile worker at that no more often than it has items. Under
// the lock.
func (m *member) follow(j *Job) {
	c := j.chunk
	if c == nil || j.limits.running == 0 {
		return
	}
	if next := m.next(j); next > c.timed {
		now := time.Now()
		at, begun := m.link.Begun(j.slot, j.id)
		if !begun { // it has, and the worker wrote nonsense into its claim since
			at = now
		}
		c.timed, j.begunAt = next, instantOf(earlier(at, now))
	}
}

// runningFor is how long what runs of a job has run; 0: that was not measured.
// Under the lock.
func (m *member) runningFor(j *Job) time.Duration {
	if j.chunk != nil && j.limits.running == 0 {
		return 0
	}
	m.follow(j)
	return time.Since(j.begunAt.time())
}

// endItem notes which item of a chunk is to be ended: the one that runs, behind
// which all was taken back. False: it is over, or was meant by nobody: timed says
// that it is to be the one whose beginning is known. Under the lock.
func (m *member) endItem(j *Job, timed bool) bool {
	c, next := j.chunk, m.next(j)
	if next == c.told || timed && next != c.timed {
		return false
	}
	if c.ended == 0 {
		c.ended = next
	}
	return true
}

// await looks after a chunk of which no item is to be ended now: another one has
// just begun, or none runs. Under the lock.
func (m *member) await(j *Job) {
	m.follow(j)
	if m.rests(j) {
		return
	}
	if due, bound := m.due(j); bound != boundNone {
		m.alarm.setAt(due)
	}
}

// rests reports whether the worker has begun a chunk and is at none of its items:
// between two, or behind the last. That lasts for a moment. If
// it does not, idle workers take the other items over, and if nothing changes the
// worker is killed, as one that does not begin its task. Under the lock.
func (m *member) rests(j *Job) bool {
	c := j.chunk
	if c == nil || m.next(j) > c.told {
		return false
	}
	now := time.Now()
	if c.rested != c.told+1 {
		c.rested, c.restedAt = c.told+1, now
	}
	switch slowAt, stalledAt := c.restedAt.Add(slowAfter), c.restedAt.Add(stallLimit); {
	case now.Before(slowAt):
		m.alarm.setAt(slowAt)
	case now.Before(stalledAt):
		m.alarm.setAt(stalledAt)
		if len(m.pool.idle) > 0 {
			m.reclaim(j)
			m.pool.dispatch()
		}
	default:
		m.stalled()
		return true
	}
	m.expectLimits(j)
	return true
}

// Errors of a worker that lies about a chunk.
var (
	errNotAChunk = errors.New("results of items for a task that has none, or the reverse")
	errNotBegun  = errors.New("results of items that it had not begun")
	errLeftOut   = errors.New("the end of a chunk without the results of all its items")
)

// takeItems takes in the results of a chunk's next items. over says that nothing
// is left of it. Under the lock.
func (m *member) takeItems(j *Job, r *worker.Result) (over bool, err error) {
	c := j.chunk
	if (c != nil) != r.Chunk {
		return false, errNotAChunk
	}
	if c == nil {
		return true, nil
	}
	if c.told+r.Count > m.next(j) { // whatever the worker has written there: next knows what can be
		return false, errNotBegun
	}
	if r.Last && c.told+r.Count < c.items {
		return false, errLeftOut
	}
	c.told += r.Count
	return r.Last, nil
}

// noted returns what a worker that is gone had noted of a chunk and not sent; nil:
// nothing that can be. Under the lock.
func (m *member) noted(j *Job) *arrival {
	c := j.chunk
	first, items := m.link.Noted(j.id)
	count, err := items.Count()
	if err != nil || first < 0 || first > c.told || first+count > m.next(j) || first+count <= c.told {
		return nil
	}
	a := m.arrivalOf(j, &worker.Result{Chunk: true, Items: items.Skip(c.told - first), Count: first + count - c.told})
	c.told = first + count
	return &a
}
