package pool

import "context"

// admission bounds how many accepted tasks wait in a pool's queue.
type admission struct {
	places chan struct{} // holds one for each place that is taken; nil: no bound
	policy FullPolicy
	closed chan struct{} // closed when the pool takes no more tasks
}

func newAdmission(config Config) admission {
	a := admission{policy: config.WhenFull, closed: make(chan struct{})}
	if config.Queue > 0 {
		a.places = make(chan struct{}, config.Queue)
	}
	return a
}

// enter takes a place for the job, and waits for one if that is the policy, until
// the job's context ends or the pool takes no more tasks.
func (a admission) enter(j *Job) error {
	if j.ctx.Err() != nil {
		return context.Cause(j.ctx)
	}
	if a.places == nil {
		return nil
	}
	j.admitted = true
	select {
	case a.places <- struct{}{}:
		return nil
	default:
	}
	if a.policy == Block || j.patient {
		select {
		case a.places <- struct{}{}:
			return nil
		case <-a.closed: // the pool will say why
			j.admitted = false
			return nil
		case <-j.ctx.Done():
			return context.Cause(j.ctx)
		}
	}
	return ErrQueueFull
}

// leave gives the job's place back when it has been given to a worker for the
// first time, or is done. It does not block.
func (a admission) leave(j *Job) {
	if j.admitted {
		j.admitted = false
		<-a.places
	}
}

// close refuses those who wait for a place. Under the pool's lock.
func (a admission) close() { closeOnce(a.closed) }

// closeOnce closes a channel that may be closed already, under a lock.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}
