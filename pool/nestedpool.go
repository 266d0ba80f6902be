package pool

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/runtime/worker"
)

// nestedPool is the pool that runs a task, as the task sees it in its worker
// process: what is submitted to it goes to the host, as an errand.
type nestedPool struct {
	caller   *worker.Caller
	contexts contexts
	mu       sync.Mutex // guards withdrawn of its jobs
}

var _ Pool = (*nestedPool)(nil)

func newNestedPool(caller *worker.Caller) *nestedPool {
	p := &nestedPool{caller: caller}
	p.contexts.over = p.contextEnded
	return p
}

// nestedOptions are a call's options on their way to the host.
type nestedOptions struct {
	QueueTimeout, Timeout, SilenceTimeout time.Duration

	CPUTime  time.Duration `cbor:",omitempty"`
	Memory   int64         `cbor:",omitempty"` // bytes
	Priority int           `cbor:",omitempty"`
	Queue    string        `cbor:",omitempty"`
	Item     int           `cbor:",omitempty"`
	Values   []byte        `cbor:",omitempty"` // of the context

	Retry *nestedRetry `cbor:",omitempty"`
}

// optionsOf encodes the options of a job. An error is a *ConfigError.
func optionsOf(j *Job) ([]byte, error) {
	at := j.placement()
	o := nestedOptions{
		QueueTimeout: j.limits.queue, Timeout: j.limits.running, SilenceTimeout: j.limits.silence,
		CPUTime: j.limits.cpu, Memory: j.limits.memory,
		Priority: at.priority, Queue: at.name, Item: j.item,
	}
	if j.carried != nil {
		o.Values = *j.carried
	}
	var err error
	if o.Retry, err = j.retry.pack(j.task); err != nil {
		return nil, err
	}
	return worker.Marshal(o)
}

func (o *nestedOptions) apply(j *Job) {
	j.limits = &limits{queue: o.QueueTimeout, running: o.Timeout, silence: o.SilenceTimeout, cpu: o.CPUTime, memory: o.Memory}
	j.item = o.Item
	if o.Values != nil {
		j.carried = &o.Values
	}
	j.placed = &placement{priority: o.Priority, name: o.Queue}
}

// Submit implements Pool. It waits while the worker has 1024 tasks submitted, or
// has Config.MaxPayload bytes of arguments submitted, that are not done.
func (p *nestedPool) Submit(j *Job) {
	var options []byte
	argument, err := encodeArgument(j, p.caller.Limit()-payloadRoom)
	if err == nil {
		options, err = optionsOf(j)
	}
	if err == nil {
		err = j.ctx.Err()
	}
	if err == nil {
		j.number, err = p.caller.Reserve(j.ctx, len(argument), func(reply []byte) { p.settle(j, reply) }, func(progress []byte) {
			j.report(&report{task: j.task.name, encoded: progress})
		})
	}
	if err == nil {
		j.owner = p
		p.contexts.enter(j)
		err = p.caller.Submit(j.number, j.task.name, options, argument)
	}
	if err != nil {
		p.refuse(j, err)
	}
}

// refuse settles the future of a job that did not reach the host.
func (p *nestedPool) refuse(j *Job, err error) {
	p.contexts.leave(j)
	switch {
	case j.ctx.Err() != nil:
		j.work.cancel(context.Cause(j.ctx))
	case errors.Is(err, worker.ErrTaskOver):
		j.work.fail(ErrNoTask)
	default:
		j.work.fail(err)
	}
}

// settle settles a job's future by what the host has replied.
func (p *nestedPool) settle(j *Job, reply []byte) {
	p.contexts.leave(j)
	kind, retries, data := parseReply(reply)
	for range retries {
		j.work.retried()
	}
	if kind != replyValue {
		p.fail(j, unpackError(data))
		return
	}
	if err := j.work.decode(worker.Payload{Data: data}); err != nil {
		p.fail(j, resultError(j, j.asRun(), "decode", err))
		return
	}
	j.work.succeed()
}

// fail settles a future with an error. What the host cannot know, it is told here.
func (p *nestedPool) fail(j *Job, err error) {
	if cancelled, ok := err.(*futures.CancelledError); ok {
		j.work.cancel(cancelled.Cause)
		return
	}
	if codec, ok := err.(*CodecError); ok && codec.Type == "" {
		in, out := j.work.types()
		codec.Type = out
		if codec.What == "argument" {
			codec.Type = in
		}
	}
	j.work.fail(err)
}

// contextEnded has a job ended whose submitter's context has ended.
func (p *nestedPool) contextEnded(j *Job) {
	p.caller.Cancel(j.number, errors.Is(context.Cause(j.ctx), context.DeadlineExceeded))
}

func (p *nestedPool) begun(j *Job) bool { return p.caller.Is(worker.CallBegun, j.number) }
func (p *nestedPool) kill(j *Job) bool  { return p.caller.Is(worker.CallKill, j.number) }

func (p *nestedPool) withdraw(j *Job) bool {
	p.mu.Lock()
	defer p.mu.Unlock() // a second caller waits for the answer to the first
	if !j.withdrawn && p.caller.Withdraw(j.number) {
		j.withdrawn = true
		p.contexts.leave(j)
	}
	return j.withdrawn
}

// Shutdown implements Pool: it refuses.
func (p *nestedPool) Shutdown(context.Context, ShutdownMode) error { return ErrNotOwner }

// Close implements Pool: it refuses.
func (p *nestedPool) Close() error { return ErrNotOwner }

// Stats implements Pool: it asks the host.
func (p *nestedPool) Stats() (s Stats) {
	_ = worker.Unmarshal(p.caller.Ask(worker.CallStats, 0), &s) // the host is this program
	return s
}

// Insights implements Pool: a task gets none.
func (p *nestedPool) Insights() Insights { return Insights{} }

// Events implements Pool: a task hears of none.
func (p *nestedPool) Events(context.Context) iter.Seq[Event] { return func(func(Event) bool) {} }
