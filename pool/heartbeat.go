package pool

import (
	"context"
	"time"

	"github.com/stint-go/stint/runtime/worker"
)

// Heartbeat tells that the task lives whose context ctx is, or is derived from:
// its time of silence begins anew. See Config.SilenceTimeout. A task may call it
// from any of its goroutines, and as often as it likes: it costs some 100 ns and
// no message. Where ctx is of no task it does nothing.
func Heartbeat(ctx context.Context) {
	if j := taskOf(ctx); j != nil {
		j.runner.live(j)
	} else {
		worker.Live(ctx)
	}
}

// taskKey is the key under which a job on a goroutine pool is found from its
// task's context.
type taskKey struct{}

// taskContext is a job as the context of its task, which ends with the caller's.
type taskContext Job

var _ context.Context = (*taskContext)(nil)

func (c *taskContext) Deadline() (time.Time, bool) { return c.ctx.Deadline() }
func (c *taskContext) Done() <-chan struct{}       { return c.ctx.Done() }
func (c *taskContext) Err() error                  { return c.ctx.Err() }

func (c *taskContext) Value(key any) any {
	if value := c.own(key); value != nil {
		return value
	}
	return c.ctx.Value(key)
}

// own returns the value that the pool itself has put under a key; nil: none.
func (c *taskContext) own(key any) any {
	switch key := key.(type) {
	case taskKey:
		return (*Job)(c)
	case runningKey:
		if key.pool == c.runner.pool {
			return (*Job)(c)
		}
	case stateKey:
		return c.runner.held
	}
	return nil
}

// AfterFunc has package context need no goroutine for each context that is
// derived from this one.
func (c *taskContext) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(c.ctx, f) }

// taskOf returns the job on a goroutine pool under whose context ctx is; nil:
// none.
func taskOf(ctx context.Context) *Job {
	j, _ := ctx.Value(taskKey{}).(*Job)
	return j
}
