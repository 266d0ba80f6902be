package pool

import "slices"

// This file is the way of a job from the queue to a worker. Everything in it
// runs under the pool's lock and makes no system call that could block; what is
// offered is written when the lock is given back.

// unlock gives the lock back, and then has written what was offered to workers
// under it. What a link holds, since its worker is to be looked at before, memoryRings has
// written.
func (p *ProcessPool) unlock() {
	var few [4]*member
	offered := append(few[:0], p.offered...)
	clear(p.offered)
	p.offered = p.offered[:0]
	p.mu.Unlock()
	for _, m := range offered {
		m.link.Flush()
	}
}

// dispatch hands waiting jobs to idle workers.
func (p *ProcessPool) dispatch() {
	for p.queue.length > 0 && len(p.idle) > 0 && p.throttle.allow() {
		m := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		m.idle = false
		p.offer(m)
	}
	p.grow()
}

// refill gives a worker that has finished something what it should have next:
// its share of the queue up to the window; or half of what waits behind another
// worker's task; or nothing, and it is idle.
func (p *ProcessPool) refill(m *member) {
	if !m.available() {
		m.leaveIfDone()
		return
	}
	if p.active > p.wanted() {
		if m.sent.length == 0 {
			p.rest(m)
		}
		return
	}
	p.recall(m)
	p.fill(m, 1+p.queue.length/max(1, p.active))
	if m.sent.length == 0 && p.ahead+p.slow+p.chunks > 0 {
		p.takeOver(m)
	}
	if m.sent.length == 0 && len(m.free) > 0 && !m.idle {
		m.idle = true
		p.idle = append(p.idle, m)
		p.idles(m)
	}
}

// recall takes back what was sent ahead to a worker and turns out to be more than
// its window holds, for the queue to decide anew who is next: a job of a high
// priority waits for one that runs longer than expected, but not for those behind
// it.
func (p *ProcessPool) recall(m *member) {
	if m.sent.length > p.window(m) {
		m.withdrawAll()
	}
}

// fill offers a worker up to share jobs, within its window. None is sent ahead that takes
// a look at the worker when those before it are over.
func (p *ProcessPool) fill(m *member, share int) {
	for window := p.window(m); share > 0 && p.queue.length > 0 && m.sent.length < window && len(m.free) > 0; share-- {
		if m.sent.length > 0 && p.queue.weighed > 0 && p.queue.nextFor(m.lane).limits.memory > 0 || !p.throttle.allow() {
			return
		}
		p.offer(m)
	}
}

// window is how many jobs a worker may have. With a bounded rate it gets them one
// by one: what is given to it begins at once.
func (p *ProcessPool) window(m *member) int {
	window := m.pace.window()
	if p.config.Rate > 0 {
		window = 1
	}
	if limit := p.config.Recycle.Tasks; limit > 0 {
		window = min(window, limit-m.served)
	}
	return window
}

// throttleRings is told that a job may begin, for which an idle worker waits.
func (p *ProcessPool) throttleRings() {
	p.mu.Lock()
	defer p.unlock()
	p.throttle.rings()
	p.dispatch()
}

// offer sends the first waiting job to a worker.
func (p *ProcessPool) offer(m *member) {
	j := p.queue.pop(m.lane)
	p.admission.leave(j)
	m.offer(j)
	if !slices.Contains(p.offered, m) {
		p.offered = append(p.offered, m)
	}
}

// takeOver moves jobs to a worker that has nothing to do: all from a worker that
// does not begin, or half of those that stand behind the running one at the
// worker with the most of them, or half of what is left of a chunk. So none waits
// behind a long or hung task while a worker is idle, and it needs nobody's answer:
// the claims are taken back in the memory shared with that worker.
func (p *ProcessPool) takeOver(to *member) {
	for m := range p.members {
		if m.slow && m != to && m.condemned == nil {
			m.withdrawAll()
		}
	}
	for passed := []*member{to}; p.queue.length == 0; {
		from := p.longestLine(passed)
		if from == nil {
			break
		}
		passed = append(passed, from) // a hostile worker's claims may say neither that they have begun nor let go
		for range from.sent.length / 2 {
			j := from.sent.last
			if !from.withdraw(j) {
				break // it has begun meanwhile, and so have those before it
			}
			p.requeue(j)
		}
	}
	if p.chunks > 0 && p.queue.length == 0 {
		p.shareChunk()
	}
	p.fill(to, p.queue.length)
}

// longestLine returns the worker with the most jobs of those that have one behind the
// running one, but for those that were passed.
func (p *ProcessPool) longestLine(passed []*member) (longest *member) {
	for m := range p.members {
		if m.condemned == nil && m.sent.length > 1 && (longest == nil || m.sent.length > longest.sent.length) &&
			!slices.Contains(passed, m) && !m.begun(m.sent.last) {
			longest = m
		}
	}
	return longest
}

// removeIdle takes a worker off the idle ones.
func (p *ProcessPool) removeIdle(m *member) {
	if m.idle {
		m.idle = false
		p.idle = slices.DeleteFunc(p.idle, func(other *member) bool { return other == m })
	}
}

// requeue puts a job that was withdrawn back to where it was in the queue.
func (p *ProcessPool) requeue(j *Job) {
	j.state, j.member = jobQueued, nil
	p.queue.push(j)
}

// attemptOver implements retrier.
func (p *ProcessPool) attemptOver(j *Job) {
	lent := p.loans.lent
	if p.loans.returned(j); p.loans.lent < lent {
		p.balance()
	}
}

// markDone notes that a job is done.
func (p *ProcessPool) markDone(j *Job) {
	j.state = jobDone
	p.waiting.remove(j)
	p.live--
	if p.loans.over(j) {
		p.balance()
	}
	p.checkDrained()
}
