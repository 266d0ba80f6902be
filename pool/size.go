package pool

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stint-go/stint/actors"
)

// This file is about how many workers there are.

// NoMinimum, as Config.MinWorkers, lets a pool that has nothing to do be without
// workers.
const NoMinimum = -1

// newStaffing returns how many processes a pool begins with, and its loans.
func newStaffing(config Config) (staffing, loans) {
	s := staffing{least: config.MinWorkers, most: config.Workers}
	l := loans{workers: max(1, s.floor()), most: config.NestedWorkers}
	s.asked = l.workers + config.Spares
	s.peak = s.asked
	return s, l
}

// floor is how many workers are kept though they have nothing to do.
func (s *staffing) floor() int {
	switch s.least {
	case 0:
		return s.most
	case NoMinimum:
		return 0
	}
	return min(s.least, s.most)
}

// wanted is how many workers may be given work: between MinWorkers and Workers,
// as many as were needed of late, and those in whose places others work. Under
// the lock.
func (p *ProcessPool) wanted() int { return p.loans.wanted() }

// processes is how many workers there are to be, spares included. Where there is
// no worker there is none to take the place of. Under the lock.
func (p *ProcessPool) processes() int {
	if p.wanted() == 0 {
		return 0
	}
	return p.wanted() + p.config.Spares
}

// Resize changes Config.Workers while the pool runs. Further workers are started
// at once, or, with Config.MinWorkers, when tasks wait for them. Workers that are
// too many leave: at once those that have nothing to do, the others when their
// task is over. It does not wait for any of that. An error is a *ConfigError, the
// pool's *BrokenError or ErrClosed.
func (p *ProcessPool) Resize(workers int) error {
	if workers < 1 {
		return &ConfigError{Field: "Resize", Reason: fmt.Sprintf("%d is less than one worker", workers)}
	}
	p.mu.Lock()
	defer p.unlock()
	if p.phase != phaseOpen {
		return ErrClosed
	}
	if p.broken != nil {
		return p.broken
	}
	p.most = workers
	p.loans.workers = min(max(p.loans.workers, p.floor()), workers)
	p.peak = p.processes()
	p.ask(p.peak)
	p.balance()
	p.trim()
	p.dispatch()
	return nil
}

// Resize changes Config.Workers while the pool runs. Goroutines that are too many
// end: at once those that have nothing to do, the others when their task is over.
// It does not wait for that. An error is a *ConfigError, the pool's *BrokenError
// or ErrClosed.
func (p *GoroutinePool) Resize(workers int) error {
	if workers < 1 {
		return &ConfigError{Field: "Resize", Reason: fmt.Sprintf("%d is less than one worker", workers)}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.phase != phaseOpen {
		return ErrClosed
	}
	if p.broken != nil {
		return p.broken
	}
	p.loans.workers = workers
	p.startMissing()
	p.wake.Broadcast()
	return nil
}

// grow has workers started for jobs that wait, as far as there may be more.
// Under the lock.
func (p *ProcessPool) grow() {
	if p.queue.length == 0 || p.loans.workers >= p.most || len(p.idle) > 0 {
		return
	}
	starting := max(0, p.wanted()-p.active)
	if more := min(p.queue.length-starting, p.most-p.loans.workers); more > 0 {
		p.loans.workers += more
		p.balance()
	}
}

// errSurplus is why a worker ends that is one too many.
var errSurplus = errors.New("there were more workers than wanted")

// trim dismisses the workers that are too many: those first that are to be
// replaced, then spares, then those with little to do. The supervisor was told
// before: so it replaces none of them. Under the lock.
func (p *ProcessPool) trim() {
	var present []*member
	for m := range p.members {
		if m.present() {
			present = append(present, m)
		}
	}
	surplus := len(present) - p.asked
	if surplus <= 0 {
		return
	}
	slices.SortFunc(present, func(a, b *member) int { return a.usefulness() - b.usefulness() })
	for _, m := range present[:surplus] {
		m.dismiss(errSurplus)
	}
}

// present reports whether a worker is there and will stay, as far as is known.
// Under the lock.
func (m *member) present() bool {
	state := m.process.State()
	return !m.cut && m.leaving == nil && state != actors.Draining && state != actors.Exited
}

// usefulness orders workers by how little is lost by their leaving.
func (m *member) usefulness() int {
	switch {
	case m.worn != nil:
		return 0
	case !m.active:
		return 1
	}
	return 2 + m.sent.length
}

// idles notes that a worker has become idle. Under the lock.
func (p *ProcessPool) idles(m *member) {
	if limit := p.config.Recycle.Idle; limit > 0 {
		m.since = time.Now()
		p.resting.setAt(m.since.Add(limit))
	}
}

// restingRings ends the workers that have been idle for too long, or has them
// replaced. One that has not worked needs no replacement.
func (p *ProcessPool) restingRings() {
	p.mu.Lock()
	defer p.unlock()
	p.resting.at = time.Time{}
	why := fmt.Errorf("it had nothing to do for %v", p.config.Recycle.Idle)
	for _, m := range slices.Clone(p.idle) { // who has been idle for longest is the first
		if due := m.since.Add(p.config.Recycle.Idle); time.Now().Before(due) {
			p.resting.setAt(due)
			return
		}
		switch {
		case p.loans.workers > p.floor():
			p.loans.workers--
			p.peak = p.processes()
			p.ask(p.peak)
			m.dismiss(why)
			p.trim()
		case m.served > 0:
			m.wear(why)
		}
	}
}
