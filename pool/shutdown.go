package pool

import (
	"context"
	"errors"

	"github.com/stint-go/stint/actors"
)

// Close implements Pool.
func (p *ProcessPool) Close() error { return p.Shutdown(context.Background(), Drain) }

// Shutdown implements Pool.
func (p *ProcessPool) Shutdown(ctx context.Context, mode ShutdownMode) error {
	err := shutdown(ctx, mode, p.done, p.wind)
	if wrong := (*ConfigError)(nil); errors.As(err, &wrong) {
		return err
	}
	return withLeft(err, p.closeErr)
}

// shutdown winds a pool down and waits until it is done. When ctx ends first, it
// has what is left killed.
func shutdown(ctx context.Context, mode ShutdownMode, done <-chan struct{}, wind func(ShutdownMode) (killed, cancelled int)) error {
	if mode > Kill {
		return &ConfigError{Field: "Shutdown", Reason: "the mode is none of Drain, CancelPending, Kill"}
	}
	killed, cancelled := wind(mode)
	select {
	case <-done: // before an expired context
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	more, rest := wind(Kill)
	<-done
	return &ShutdownError{Cause: context.Cause(ctx), Killed: killed + more, Cancelled: cancelled + rest}
}

// wind begins a shutdown, or makes one that has begun harsher. It does not wait.
func (p *ProcessPool) wind(mode ShutdownMode) (killed, cancelled int) {
	p.mu.Lock()
	before := p.phase
	p.phase = max(before, phaseOf(mode))
	p.admission.close()
	var pending []*Job
	if mode >= CancelPending {
		p.retries.barred = ErrShutdown
		pending = p.takeBackAll()
	}
	if mode == Kill && before < phaseKilling {
		killed = p.condemnAll(ErrShutdown)
		p.supervisor.Stop(actors.Ladder{}, actors.Cause{Kind: actors.CauseShutdown})
	}
	p.checkDrained()
	p.unlock()
	for _, j := range pending {
		p.retries.drop(j, ErrShutdown)
	}
	return killed, len(pending)
}

// takeBackAll takes back every job that does not run. Under the lock.
func (p *ProcessPool) takeBackAll() (jobs []*Job) {
	for m := range p.members {
		m.withdrawAll()
	}
	for p.queue.length > 0 {
		j := p.queue.next()
		p.takeBack(j)
		jobs = append(jobs, j)
	}
	return append(jobs, p.retries.endAll()...)
}

// condemnAll condemns what runs for a cause, and returns how many that are. All
// that has not begun was taken back. Under the lock.
func (p *ProcessPool) condemnAll(cause error) (running int) {
	for m := range p.members {
		if j := m.sent.last; j != nil && m.condemned == nil {
			m.condemn(j, &verdict{cause: cause})
			running++
		}
	}
	return running
}

// conclude ends the pool when it has drained. It runs from the pool's start, on
// a goroutine of its own, for which every Shutdown waits.
func (p *ProcessPool) conclude() {
	select {
	case <-p.drained:
		p.supervisor.Stop(p.farewell(), actors.Cause{Kind: actors.CauseShutdown})
		<-p.supervisor.Done()
	case <-p.supervisor.Done(): // killed, or its host was closed under it
		p.breakDown(actors.ErrClosed)
		<-p.drained
	}
	p.links.Wait()
	p.waiting.alarm.Stop()
	p.resting.Stop()
	p.throttle.stop()
	p.contexts.close()
	p.lull.Stop()
	p.closeErr = withLeft(p.left(), p.release())
	p.events.end()
	close(p.done)
}

// farewell is how a worker with nothing to do is ended.
func (p *ProcessPool) farewell() actors.Ladder {
	return actors.Ladder{Ask: true, Grace: sum(p.config.StopTimeout, p.config.grace())}
}

// checkDrained tells conclude when there is nothing left to wait for. Under the
// lock.
func (p *ProcessPool) checkDrained() {
	if p.phase != phaseOpen && p.live == 0 {
		closeOnce(p.drained)
	}
}

// breakDown is told why workers cannot be started any more. Those that live
// finish what was accepted; with none left, it fails.
func (p *ProcessPool) breakDown(err error) {
	p.mu.Lock()
	if p.broken == nil {
		p.broken = &BrokenError{Err: err, Stderr: p.lastWord}
	}
	p.admission.close()
	broken, jobs := p.broken, p.failQueue()
	closeOnce(p.ready)
	p.mu.Unlock()
	for _, j := range jobs {
		p.retries.fail(j, broken)
	}
}

// failQueue takes out of the queue what nobody is left to run, and returns it: all
// if there are no workers, and the nested jobs if each worker has a task that
// waits for its own; and what is between two attempts in any case. Under the lock.
func (p *ProcessPool) failQueue() (jobs []*Job) {
	if p.broken == nil {
		return nil
	}
	p.retries.barred = p.broken
	jobs = p.retries.endAll()
	for p.queue.length > 0 && !p.anybodyLeft() {
		j := p.queue.next()
		if len(p.members) > 0 && j.parents == nil {
			break // the workers that live can run it later
		}
		p.takeBack(j)
		j.withdrawn = false // it fails
		jobs = append(jobs, j)
	}
	return jobs
}

// anybodyLeft reports whether a worker lives that does not wait for nested jobs.
// Under the lock.
func (p *ProcessPool) anybodyLeft() bool {
	for m := range p.members {
		if !m.lends() && !m.cut && m.leaving == nil {
			return true
		}
	}
	return false
}
