package pool

import (
	"context"
	"time"

	"github.com/stint-go/stint/actors"
)

// leaveTime is how long a worker with nothing to do may take to leave when it is
// asked to.
const leaveTime = time.Second

// Close implements Pool.
func (p *ProcessPool) Close() error { return p.Shutdown(context.Background(), Drain) }

// Shutdown implements Pool.
func (p *ProcessPool) Shutdown(ctx context.Context, mode ShutdownMode) error {
	if err := shutdown(ctx, mode, p.done, p.wind); err != nil {
		return err
	}
	return p.closeErr
}

// shutdown winds a pool down and waits until it is done. When ctx ends first, it
// has what is left killed.
func shutdown(ctx context.Context, mode ShutdownMode, done <-chan struct{}, wind func(ShutdownMode) (killed, cancelled int)) error {
	if mode > Kill {
		return &ConfigError{Field: "Shutdown", Reason: "the mode is none of Drain, CancelPending, Kill"}
	}
	wind(mode)
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
	err := &ShutdownError{Cause: context.Cause(ctx)}
	err.Killed, err.Cancelled = wind(Kill)
	<-done
	return err
}

// wind begins a shutdown, or makes one that has begun harsher. It does not wait.
func (p *ProcessPool) wind(mode ShutdownMode) (killed, cancelled int) {
	p.mu.Lock()
	if p.phase == phaseOpen {
		p.phase = phaseDraining
		p.admission.close(ErrClosed)
		go p.finish()
	}
	var pending []*Job
	if mode >= CancelPending {
		pending = p.takeBackAll()
	}
	if mode == Kill && p.phase < phaseKilling {
		p.phase = phaseKilling
		for m := range p.members {
			killed += m.condemnAll(verdict{cause: ErrShutdown})
		}
		p.supervisor.Stop(actors.Ladder{}, actors.Cause{Kind: actors.CauseShutdown})
	}
	p.checkDrained()
	p.mu.Unlock()
	for _, j := range pending {
		j.work.cancel(ErrShutdown)
	}
	return killed, len(pending)
}

// condemnAll gives a verdict to what has begun at a worker, and returns 1 if
// there is any: all but the last are over, and their results on their way. Under
// the lock.
func (m *member) condemnAll(v verdict) (running int) {
	for j := m.sent.first; j != nil && m.condemned == nil; j = j.link.next {
		j.verdict, running = &v, 1
	}
	if running > 0 {
		m.condemned = m.sent.last
	}
	return running
}

// takeBackAll takes back every job that has not begun. Under the lock.
func (p *ProcessPool) takeBackAll() (jobs []*Job) {
	for m := range p.members {
		m.withdrawAll()
	}
	for p.queue.length > 0 {
		j := p.queue.first
		p.takeBack(j)
		jobs = append(jobs, j)
	}
	return jobs
}

// finish ends the pool when it has drained. It is the shutdown's own goroutine,
// for which every Shutdown waits.
func (p *ProcessPool) finish() {
	<-p.drained
	p.supervisor.Stop(actors.Ladder{Ask: true, Grace: leaveTime}, actors.Cause{Kind: actors.CauseShutdown})
	<-p.supervisor.Done()
	p.links.Wait()
	p.closeErr = p.release()
	close(p.done)
}

// checkDrained tells finish when there is nothing left to wait for. Under the
// lock.
func (p *ProcessPool) checkDrained() {
	if p.phase != phaseOpen && p.live == 0 {
		closeOnce(p.drained)
	}
}

// breakDown is told by the supervisor that workers cannot be started. Those that
// live finish what was accepted; with none left, it fails.
func (p *ProcessPool) breakDown(err error) {
	p.mu.Lock()
	p.broken = &BrokenError{Err: err, Stderr: p.lastWord}
	p.admission.close(p.broken)
	broken, jobs := p.broken, p.failQueue()
	closeOnce(p.ready)
	p.mu.Unlock()
	for _, j := range jobs {
		p.settled(j, broken)
	}
}

// closeOnce closes a channel that may be closed already. Under the lock.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}
