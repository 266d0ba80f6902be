package pool

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/stint-go/stint/actors"
)

// This file is about the states of a goroutine pool's runners: how they are made
// and ended, and what becomes of the pool when they cannot be made.

// initialize makes the runner's state, if the pool has one, and reports whether
// the runner is fit to run jobs.
func (r *runner) initialize() (fit bool) {
	p := r.pool
	init := p.config.Initializer
	if init == nil {
		return true
	}
	begun := time.Now()
	return r.attempt(p.config.StartTimeout, actors.CauseStart, func(ctx context.Context) (err error) {
		r.held, err = init.state.hold(ctx, init.config) // also if it comes too late: to be ended
		return err
	}, func(err error) {
		if err != nil {
			err = &InitializerError{State: init.state.name, Worker: r.number, Elapsed: time.Since(begun), Err: err}
		}
		p.initialized(r, err)
	})
}

// finalize ends the runner's state, if it has one. After a shutdown by force
// nobody waits for it.
func (r *runner) finalize() {
	r.rest()
	if r.held == nil {
		return
	}
	r.attempt(r.pool.config.StopTimeout, actors.CauseShutdown, func(ctx context.Context) error {
		return r.held.definition.close(r.held.in(ctx), r.held.value)
	}, func(err error) {
		if err != nil && r.pool.life.Err() == nil {
			r.pool.config.Logger.Warn("stint: a finalizer failed", "worker", r.number, "error", err)
		}
	})
}

// attempt calls f, which is the user's, and tells done its error, a panic and
// runtime.Goexit included. If f has not returned when its time is over, or the
// pool is killed, done is told that instead, and the runner is given up. It
// reports whether f succeeded in time.
func (r *runner) attempt(limit time.Duration, cause actors.CauseKind, f func(context.Context) error, done func(error)) (ok bool) {
	ctx, cancel := context.WithTimeout(r.pool.life, limit)
	defer cancel()
	told := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(told)
		done(context.Cause(ctx))
		r.pool.giveUp(r, actors.Cause{Kind: cause})
	})
	err := ErrGoexit
	defer func() {
		if value := recover(); value != nil {
			err = &PanicError{Value: fmt.Sprint(value), Type: fmt.Sprintf("%T", value), Stack: string(debug.Stack())}
		}
		if !unwatch() {
			<-told
			return
		}
		done(err)
		ok = err == nil
	}()
	err = f(ctx)
	return false
}

// giveUp abandons a runner that has no job and does not return, unless it has
// left at this moment or was given up before.
func (p *GoroutinePool) giveUp(r *runner, cause actors.Cause) {
	p.mu.Lock()
	if !r.left && !r.abandoned {
		p.discard(r, cause)
	}
	broken, hopeless := p.broken, p.failQueue()
	p.mu.Unlock()
	p.settleAll(hopeless, broken)
}

// initialized notes whether a runner has its state. The first failure breaks a
// pool of which no runner ever had one; later ones delay the next try, until
// there are too many in a row.
func (p *GoroutinePool) initialized(r *runner, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.initializing--
	switch {
	case p.life.Err() != nil:
	case err == nil:
		p.wasReady = true
		p.isReady(r)
		closeOnce(p.ready)
		p.setbacks.reset()
		p.startMissing()
	case p.delay != nil:
		// It failed together with one that was counted.
	case !p.wasReady || p.setbacks.count+1 >= p.config.MaxFailures:
		p.broken = &BrokenError{Err: err}
		p.admission.close()
		closeOnce(p.ready)
	default:
		d := p.setbacks.next()
		p.config.Logger.Warn("stint: an initializer failed", "error", err, "next_try_in", d)
		p.delay = time.AfterFunc(d, p.delayOver)
	}
}

func (p *GoroutinePool) delayOver() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = nil
	p.startMissing()
}

// failQueue takes out of the queue of a broken pool what nobody is left to run, and
// returns it: all if there are no runners, and the nested jobs if each runs a task
// that waits for its own; and what is between two attempts in any case. Under the
// lock.
func (p *GoroutinePool) failQueue() (jobs []*Job) {
	if p.broken == nil {
		return nil
	}
	p.retries.barred = p.broken
	jobs = p.retries.endAll()
	for p.queue.length > 0 && p.runners <= p.loans.lent {
		j := p.queue.next()
		if p.runners > 0 && j.parents == nil {
			break // the runners that there are can run it later
		}
		p.takeBack(j)
		j.withdrawn = false // it fails
		jobs = append(jobs, j)
	}
	return jobs
}

// settleAll fails the jobs that failQueue has returned.
func (p *GoroutinePool) settleAll(jobs []*Job, err error) {
	for _, j := range jobs {
		p.retries.fail(j, err)
	}
}

// setbacks counts failures in a row and says how long to wait after each.
type setbacks struct {
	count  int
	delays backoff.ExponentialBackOff
}

func newSetbacks() setbacks {
	return setbacks{delays: backoff.ExponentialBackOff{InitialInterval: 10 * time.Millisecond, Multiplier: 2, MaxInterval: 2 * time.Second}}
}

func (s *setbacks) next() time.Duration {
	s.count++
	return s.delays.NextBackOff()
}

func (s *setbacks) reset() {
	s.count = 0
	s.delays.Reset()
}
