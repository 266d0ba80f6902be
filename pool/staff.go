package pool

import (
	"time"
)

// This file is about which workers work: as many as may, and the others are
// spares. Everything in it is under the pool's lock.

// lullTime is how long workers that were started for nested tasks stay, as
// spares, until it counts that they were not needed.
const lullTime = 2 * time.Second

// staffing is how many processes there are to be.
type staffing struct {
	least   int   // as Config.MinWorkers
	most    int   // as Config.Workers
	asked   int   // of the supervisor
	peak    int   // the most that were needed since the lull has begun
	lull    alarm // set while there are more than are needed
	resting alarm // rings when the worker that has been idle for longest was for long enough
}

// staff makes a ready worker one of those that are given work, unless there are
// enough: then it is a spare.
func (p *ProcessPool) staff(m *member) {
	if p.active < p.wanted() {
		p.active++
		m.active = true
		p.refill(m)
	}
}

// rest makes a worker that has nothing to do a spare.
func (p *ProcessPool) rest(m *member) {
	p.removeIdle(m)
	m.active = false
	p.active--
}

// retire gives a worker no more work; a spare takes its place.
func (p *ProcessPool) retire(m *member) {
	p.removeIdle(m)
	if m.active {
		m.active = false
		p.active--
		p.balance()
	}
}

// spare reports whether the worker could take another's place.
func (m *member) spare() bool { return m.ready && !m.active && m.condemned == nil && m.present() }

// balance makes workers of spares while more may work than do, and spares of idle
// ones while fewer may. If there are too few, further ones are started.
func (p *ProcessPool) balance() {
	wanted := p.wanted()
	for p.active > wanted && len(p.idle) > 0 {
		p.rest(p.idle[0])
	}
	for m := range p.members {
		if p.active < wanted && m.spare() {
			p.staff(m)
		}
	}
	need := p.processes()
	p.peak = max(p.peak, need)
	switch {
	case need > p.asked:
		p.ask(need)
	case need < p.asked:
		p.lull.setAt(time.Now().Add(lullTime))
	}
}

// ask tells the supervisor how many processes there are to be.
func (p *ProcessPool) ask(processes int) {
	p.asked = processes
	p.supervisor.Resize(processes)
}

// lullOver has workers leave that were not needed for a while.
func (p *ProcessPool) lullOver() {
	p.mu.Lock()
	defer p.unlock()
	p.lull.at = time.Time{}
	if p.phase > phaseDraining {
		return
	}
	p.ask(p.peak)
	p.peak = p.processes()
	p.trim()
	if p.peak < p.asked {
		p.lull.setAt(time.Now().Add(lullTime))
	}
}
