package pool

import (
	"slices"
	"time"
)

// This file is the way of a job from the queue to a worker and back. Everything
// in it runs under the pool's lock and does no system call.

// dispatch hands waiting jobs to idle workers.
func (p *ProcessPool) dispatch() {
	for p.queue.length > 0 && len(p.idle) > 0 {
		m := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		m.idle = false
		p.offer(m)
	}
}

// refill gives a worker that has finished something what it should have next:
// its share of the queue up to the window; or half of what waits behind another
// worker's task; or nothing, and it is idle.
func (p *ProcessPool) refill(m *member) {
	if !m.available() {
		return
	}
	share := 1 + p.queue.length/max(1, len(p.members))
	for p.queue.length > 0 && m.sent.length < p.pace.window() && share > 0 && len(m.free) > 0 {
		p.offer(m)
		share--
	}
	if m.sent.length == 0 && p.ahead+p.slow > 0 {
		p.takeOver(m)
	}
	if m.sent.length == 0 && len(m.free) > 0 && !m.idle {
		m.idle = true
		p.idle = append(p.idle, m)
	}
}

// offer sends the first waiting job to a worker.
func (p *ProcessPool) offer(m *member) {
	j := p.queue.popFront()
	p.leaveQueueOnce(j)
	m.offer(j)
}

// leaveQueueOnce frees the job's place in the bounded queue when it leaves for
// the first time; one that comes back needs none.
func (p *ProcessPool) leaveQueueOnce(j *Job) {
	if j.id == 0 {
		p.admission.leave()
	}
}

// takeOver moves jobs to a worker that has nothing to do: all from a worker that
// does not begin, or half of those that stand behind the running one at the
// worker with the most of them. So none waits behind a long or hung task while a
// worker is idle, and it needs nobody's answer: the claims are taken back in the
// memory shared with that worker.
func (p *ProcessPool) takeOver(to *member) {
	var from *member
	for m := range p.members {
		switch {
		case m == to || m.condemned != nil || m.sent.length == 0:
		case m.slow:
			m.withdrawAll()
		case m.sent.length > 1 && (from == nil || m.sent.length > from.sent.length):
			from = m
		}
	}
	if from != nil && p.queue.length == 0 {
		for range from.sent.length / 2 {
			j := from.sent.last
			if !from.withdraw(j) {
				break // it has begun, and so have those before it
			}
			p.requeue(j)
		}
	}
	for p.queue.length > 0 && to.sent.length < p.pace.window() && len(to.free) > 0 {
		p.offer(to)
	}
}

// removeIdle takes a worker off the idle ones.
func (p *ProcessPool) removeIdle(m *member) {
	if m.idle {
		m.idle = false
		p.idle = slices.DeleteFunc(p.idle, func(other *member) bool { return other == m })
	}
}

// requeue puts a job that was withdrawn at the head of the queue.
func (p *ProcessPool) requeue(j *Job) {
	j.state, j.member = jobQueued, nil
	p.queue.pushFront(j)
}

// pace estimates how long tasks run, to decide how many to send ahead.
type pace struct {
	running time.Duration // of late; 0: nothing is known yet
}

const (
	// maxWindow is how many tasks may be with one worker.
	maxWindow = 64
	// aheadTime is how much work may wait at a worker: enough to cover the way
	// there and back many times, little enough to lose nothing by it.
	aheadTime = time.Millisecond
)

// note takes a task's running time in: a longer one counts at once, shorter ones
// by and by, so that the window closes fast and opens slowly.
func (p *pace) note(elapsed time.Duration) {
	elapsed = max(elapsed, 1)
	if elapsed > p.running {
		p.running = elapsed
	} else {
		p.running -= (p.running - elapsed) / 8
	}
}

// window returns how many tasks a worker may have: one that runs, and as many
// behind it as run in aheadTime.
func (p *pace) window() int {
	if p.running == 0 {
		return 1
	}
	return 1 + min(int(aheadTime/p.running), maxWindow-1)
}
