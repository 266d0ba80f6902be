package pool

import "container/heap"

// queue holds the jobs that wait for a worker, and decides which is next: one of
// the highest priority; of these, one of the name for which the fewest workers
// run, in turn among equals; of these, the one that was accepted first. While all
// have the same priority and name it is a plain list, and costs no more; with n
// pairs of them it costs O(log n). Under the pool's lock.
type queue struct {
	length  int
	tasks   int                 // in these jobs: of a chunk, its items
	weighed int                 // of these jobs, with a limit of memory
	waiting laneHeap            // the lanes in which a job waits; the first is next
	plain   lane                // of the zero placement
	others  map[placement]*lane // those that are in use
	turns   uint64              // numbers the jobs that were taken
	numbers uint64              // numbers those that came
}

// lane holds the waiting jobs of one placement, the first accepted first.
type lane struct {
	placement
	jobs    jobList
	workers int    // that run a job from here
	turn    uint64 // when it last gave one, or else came into use
	index   int    // in queue.waiting, from 1; 0: nothing waits in it
}

// before reports whether the next job comes from l rather than from other.
func (l *lane) before(other *lane) bool {
	switch {
	case l.outranks(other.placement):
		return true
	case other.outranks(l.placement):
		return false
	case l.workers != other.workers:
		return l.workers < other.workers
	case l.turn != other.turn:
		return l.turn < other.turn
	}
	return l.jobs.first.number < other.jobs.first.number
}

// accept puts a job behind those that are here.
func (q *queue) accept(j *Job) {
	j.number = q.numbers + 1
	q.numbers += uint64(j.open())
	q.push(j)
}

// push puts a job to where its number says, be it new or back from a worker. It
// steps over those that came back before it and are older, of which there are
// few: no more than workers had at a time.
func (q *queue) push(j *Job) {
	l := q.lane(j.placement())
	if last := l.jobs.last; last == nil || last.number < j.number {
		l.jobs.pushBack(j)
	} else {
		l.jobs.insert(j)
	}
	q.length++
	q.tasks += j.open()
	if j.limits.memory > 0 {
		q.weighed++
	}
	q.sort(l)
}

// next returns the job that pop would take; nil: none waits.
func (q *queue) next() *Job {
	if q.length == 0 {
		return nil
	}
	return q.waiting[0].jobs.first
}

// nextFor returns the job that pop would take for that worker. A job waits.
func (q *queue) nextFor(own *lane) *Job {
	q.count(own, -1)
	j := q.waiting[0].jobs.first
	q.count(own, +1)
	return j
}

// pop takes the next job, for a worker that is counted at lane own, if at any:
// what it has itself does not speak against its getting more of it. A job waits.
func (q *queue) pop(own *lane) *Job {
	q.count(own, -1)
	l := q.waiting[0]
	j := l.jobs.first
	q.turns++
	l.turn = q.turns
	q.take(l, j)
	q.count(own, +1)
	q.forget(l)
	return j
}

// remove takes a waiting job out.
func (q *queue) remove(j *Job) {
	l := q.lane(j.placement())
	q.take(l, j)
	q.forget(l)
}

func (q *queue) take(l *lane, j *Job) {
	j.unlink()
	q.length--
	q.tasks -= j.open()
	if j.limits.memory > 0 {
		q.weighed--
	}
	q.sort(l)
}

// serves is told that a worker now runs a job, or nothing, and was counted at a
// lane before, if at any. It returns the lane that the worker is counted at now.
func (q *queue) serves(j *Job, before *lane) (now *lane) {
	if j != nil {
		now = q.lane(j.placement())
	}
	if now != before {
		q.count(now, +1)
		q.count(before, -1)
		q.forget(before)
	}
	return now
}

// count changes how many workers a lane has.
func (q *queue) count(l *lane, by int) {
	if l != nil {
		l.workers += by
		q.sort(l)
	}
}

// lane returns the lane of a placement.
func (q *queue) lane(at placement) *lane {
	if at == (placement{}) {
		return &q.plain
	}
	l := q.others[at]
	if l == nil {
		l = &lane{placement: at, turn: q.turns}
		if q.others == nil {
			q.others = make(map[placement]*lane)
		}
		q.others[at] = l
	}
	return l
}

// forget drops a lane that is not in use any more: names and priorities may be
// many in the course of time.
func (q *queue) forget(l *lane) {
	if l != nil && l != &q.plain && l.workers == 0 && l.index == 0 {
		delete(q.others, l.placement)
	}
}

// sort puts a lane to its place among those in which a job waits, after a change.
func (q *queue) sort(l *lane) {
	switch waits := l.jobs.length > 0; {
	case waits && l.index == 0:
		heap.Push(&q.waiting, l)
	case !waits && l.index > 0:
		heap.Remove(&q.waiting, l.index-1)
	case waits && len(q.waiting) > 1:
		heap.Fix(&q.waiting, l.index-1)
	}
}

// laneHeap implements heap.Interface.
type laneHeap []*lane

func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i].before(h[j]) }

func (h laneHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}

func (h *laneHeap) Push(l any) {
	*h = append(*h, l.(*lane))
	l.(*lane).index = len(*h)
}

func (h *laneHeap) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	l.index = 0
	(*h)[last] = nil
	*h = (*h)[:last]
	return l
}
