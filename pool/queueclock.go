package pool

import (
	"container/heap"
	"time"
)

// queueClock knows the jobs whose time in the queue is limited, whichever is to
// be up first, and has one alarm for all of them. A job without such a limit
// costs nothing; one with it two operations of a heap, of which the first is a
// comparison where all have the same limit. Under the pool's lock.
type queueClock struct {
	jobs  byDeadline
	start time.Time
	alarm alarm
}

func newQueueClock(b bell) queueClock {
	return queueClock{start: time.Now(), alarm: alarm{bell: b}}
}

// add starts a job's clock: it was accepted.
func (c *queueClock) add(j *Job) {
	if j.limits.queue <= 0 {
		return
	}
	heap.Push(&c.jobs, queueLimit{j, sum(time.Since(c.start), j.limits.queue)})
	c.alarm.setAt(c.start.Add(c.jobs[0].at))
}

// remove stops a job's clock: it is done, or known to have begun.
func (c *queueClock) remove(j *Job) {
	if j.place > 0 {
		heap.Remove(&c.jobs, int(j.place-1))
	}
}

// overdue stops the clock of a job whose time is up and returns it. With none it
// sets the alarm for the next.
func (c *queueClock) overdue() (queueLimit, bool) {
	if len(c.jobs) == 0 {
		return queueLimit{}, false
	}
	first := c.jobs[0]
	if first.at > time.Since(c.start) {
		c.alarm.setAt(c.start.Add(first.at))
		return queueLimit{}, false
	}
	c.remove(first.job)
	return first, true
}

// late is a job that was taken back because its time was up.
type late struct {
	job *Job
	err *QueueTimeoutError
}

// expire is what the alarm does: it takes back the jobs whose time is up. One that
// takeBack does not give has begun.
func (c *queueClock) expire(takeBack func(*Job) bool) (all []late) {
	c.alarm.at = time.Time{}
	for l, ok := c.overdue(); ok; l, ok = c.overdue() {
		j := l.job
		waited := time.Since(c.start) - l.at + j.limits.queue
		err := &QueueTimeoutError{Task: j.task.name, Waited: waited, Limit: j.limits.queue}
		if takeBack(j) {
			all = append(all, late{j, err})
		}
	}
	return all
}

// queueLimit is when a job must have begun.
type queueLimit struct {
	job *Job
	at  time.Duration // since the clock's start
}

// byDeadline is a heap of jobs, each of which knows its place, from 1.
type byDeadline []queueLimit

func (h byDeadline) Len() int           { return len(h) }
func (h byDeadline) Less(i, k int) bool { return h[i].at < h[k].at }

func (h byDeadline) Swap(i, k int) {
	h[i], h[k] = h[k], h[i]
	h[i].job.place, h[k].job.place = int32(i+1), int32(k+1)
}

func (h *byDeadline) Push(l any) {
	*h = append(*h, l.(queueLimit))
	(*h)[len(*h)-1].job.place = int32(len(*h))
}

func (h *byDeadline) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last], *h = queueLimit{}, (*h)[:last]
	l.job.place = 0
	return l
}
