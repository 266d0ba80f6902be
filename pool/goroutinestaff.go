package pool

import "time"

// This file sees to it that the waiting jobs of a goroutine pool find runners.

// enqueue has a job wait for a runner. Under the lock.
func (p *GoroutinePool) enqueue(j *Job) {
	j.state, j.runner = jobQueued, nil
	p.queue.accept(j)
	if p.provide() {
		p.admission.leave(j)
	}
}

// provide sees to it that waiting jobs find runners, and reports whether the last
// of them need not wait for another job's end. Under the lock.
func (p *GoroutinePool) provide() bool {
	switch {
	case p.queue.length == 0:
	case p.queue.length > p.idle && p.mayStart():
		p.startRunner()
		return p.throttle.allows(p.queue.length)
	default:
		p.wake.Signal()
	}
	return p.queue.length <= p.idle && p.throttle.allows(p.queue.length)
}

// mayTake reports whether a runner may take a job, and counts it against the
// rate. Under the lock.
func (p *GoroutinePool) mayTake() bool { return p.queue.length > 0 && p.throttle.allow() }

// throttleRings is told that a job may begin, for which an idle runner waits.
func (p *GoroutinePool) throttleRings() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.throttle.rings()
	p.wake.Signal()
}

// sendHome has an idle runner end if there are too many. Under the lock.
func (p *GoroutinePool) sendHome() {
	if p.surplus() && p.idle > 0 {
		p.wake.Signal()
	}
}

// staff is how many runners stay. Under the lock.
func (p *GoroutinePool) staff() int { return p.runners - p.leaving }

// surplus reports whether there are more runners than may work, since fewer
// places are lent than were. Under the lock.
func (p *GoroutinePool) surplus() bool { return p.staff() > p.loans.wanted() }

// mayStart reports whether another runner may be started now. After an
// initializer has failed, one at a time is tried. Under the lock.
func (p *GoroutinePool) mayStart() bool {
	return p.staff() < p.loans.wanted() && p.broken == nil && p.delay == nil &&
		(p.setbacks.count == 0 || p.initializing == 0)
}

// startRunner starts a runner. Under the lock.
func (p *GoroutinePool) startRunner() {
	p.started++
	p.runners++
	r := &runner{pool: p, number: p.started}
	r.tally = p.insights.begin(r.event())
	if p.events.heard.Load() {
		p.events.tell(WorkerStarted{r.event()})
	}
	if p.config.Initializer != nil {
		p.initializing++
	} else {
		p.isReady(r)
	}
	go r.run() // Shutdown waits for it, unless it is abandoned
}

// isReady notes that a runner can work. Under the lock.
func (p *GoroutinePool) isReady(r *runner) {
	r.tally.ready = time.Now()
	if p.events.heard.Load() {
		p.events.tell(WorkerReady{r.event()})
	}
}

// startMissing starts the runners for which jobs wait. Under the lock.
func (p *GoroutinePool) startMissing() {
	for n := p.queue.length - p.idle; n > 0 && p.mayStart(); n-- {
		p.startRunner()
	}
}

// startFirst starts a runner and waits until it is ready.
func (p *GoroutinePool) startFirst() error {
	p.mu.Lock()
	p.startRunner()
	p.mu.Unlock()
	<-p.ready
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken
}

// dismiss takes a runner off the count. Under the lock.
func (p *GoroutinePool) dismiss(r *runner) {
	p.runners--
	if r.leaving {
		r.leaving = false
		p.leaving--
	}
}
