package pool

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// admission bounds how many accepted tasks wait in a pool's queue. The zero
// value sets no bound.
type admission struct {
	room   *semaphore.Weighted
	policy FullPolicy
	closed context.Context // ends, for a reason, when the pool takes no more tasks
	end    context.CancelCauseFunc
}

func newAdmission(config Config) admission {
	if config.Queue == 0 {
		return admission{}
	}
	a := admission{room: semaphore.NewWeighted(int64(config.Queue)), policy: config.WhenFull}
	a.closed, a.end = context.WithCancelCause(context.Background())
	return a
}

// enter takes a place in the queue, and waits for one if that is the policy.
func (a admission) enter(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case a.room == nil || a.room.TryAcquire(1):
		return nil
	case a.policy == Refuse:
		return ErrQueueFull
	}
	return a.wait(ctx)
}

// wait waits for a place until ctx has ended or the pool takes no more tasks.
func (a admission) wait(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(a.closed, func() { cancel(context.Cause(a.closed)) })()
	if a.room.Acquire(ctx, 1) != nil {
		return context.Cause(ctx)
	}
	return nil
}

// leave gives the place back.
func (a admission) leave() {
	if a.room != nil {
		a.room.Release(1)
	}
}

// close refuses, for a reason, those who wait for a place. It does not block.
func (a admission) close(reason error) {
	if a.room != nil {
		a.end(reason)
	}
}

// refuse settles a job that was not accepted: cancelled if its context had
// ended, otherwise failed.
func (o *outcomes) refuse(j *Job, err error) {
	o.refused.Add(1)
	if j.ctx.Err() != nil {
		j.work.cancel(err)
	} else {
		j.work.fail(err)
	}
}
