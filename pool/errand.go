package pool

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/runtime/worker"
)

// errand is a job that a task in a worker process has submitted to the pool that
// runs it. Its argument comes encoded, and its outcome goes back as it came, over
// the channel of the worker that asked; the future is there. See nestedPool.
type errand struct {
	Job
	member  *member // that asked
	number  uint64  // of the call
	size    int     // of the argument
	end     context.CancelCauseFunc
	answer  []byte // its value, as a reply
	retries uint64 // under the pool's lock, until its last attempt is over
}

var _ work = (*errand)(nil)

// errands are the jobs that one worker has submitted and that are not done. Under
// the pool's lock.
type errands struct {
	open  map[uint64]*errand
	bytes int // of their arguments
}

// Called implements worker.Receiver: a running task asks something.
func (m *member) Called(c worker.Call) error {
	switch c.Op {
	case worker.CallSubmit:
		return m.submit(c)
	case worker.CallStats:
		m.replyStats(c.Number)
	case worker.CallCancel:
		m.endErrand(c)
	default:
		m.link.Reply(c.Number, m.answer(c))
	}
	return nil
}

// answer answers a question about an errand by yes or no. One that is not known is
// done, and its reply on the way.
func (m *member) answer(c worker.Call) []byte {
	e, yes := m.errand(c.About), false
	switch {
	case e == nil:
	case c.Op == worker.CallBegun:
		yes = m.pool.begun(&e.Job)
	case c.Op == worker.CallKill:
		yes = m.pool.kill(&e.Job)
	case c.Op == worker.CallWithdraw:
		if yes = m.pool.withdraw(&e.Job); yes {
			e.done()
		}
	}
	if yes {
		return []byte{1}
	}
	return []byte{0}
}

func (m *member) replyStats(number uint64) {
	stats, err := worker.Marshal(m.pool.Stats())
	if err != nil {
		panic(err) // figures can always be encoded
	}
	m.link.Reply(number, stats)
}

func (m *member) errand(number uint64) *errand {
	m.pool.mu.Lock()
	defer m.pool.mu.Unlock()
	return m.errands.open[number]
}

// endErrand ends the context of an errand, as that of its submitter has ended.
func (m *member) endErrand(c worker.Call) {
	if e := m.errand(c.About); e != nil && c.Deadline {
		e.end(context.DeadlineExceeded)
	} else if e != nil {
		e.end(context.Canceled)
	}
}

// submit takes an errand on. An error is that the worker lies.
func (m *member) submit(c worker.Call) error {
	var o nestedOptions
	if err := worker.Unmarshal(c.Options, &o); err != nil {
		return m.lie("options that cannot be: " + err.Error())
	}
	e := &errand{member: m, number: c.Number, size: len(c.Argument)}
	e.task, e.work, e.argument = &definition{name: strings.Clone(c.Task)}, e, append([]byte(nil), c.Argument...)
	o.apply(&e.Job)
	if err := e.limits.check(); err != nil {
		return m.lie(err.Error())
	}
	var ok bool
	if e.retry, ok = o.Retry.unpack(e.task.name); !ok {
		return m.lie("a retry policy that cannot be")
	}
	parent, lie := m.parent(c)
	if lie != "" {
		return m.lie(lie)
	}
	if parent == nil {
		return nil // the worker is being given up
	}
	m.pool.mu.Lock()
	b := parent.brood
	m.pool.mu.Unlock()
	if b == nil {
		b = newBrood(parent.ctx)
	}
	e.ctx, e.end = context.WithCancelCause(b.ctx)
	m.pool.take(e, parent, b)
	return nil
}

func (m *member) lie(what string) error {
	return &worker.ProtocolError{Worker: m.number, Err: errors.New(what)}
}

// parent finds the task that submits, and says what is wrong with the call.
func (m *member) parent(c worker.Call) (parent *Job, lie string) {
	p := m.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.gone || m.cut {
		return nil, ""
	}
	s := &m.slots[c.Slot]
	_, taken := m.errands.open[c.Number]
	switch {
	case s.id != c.ID || s.job == nil || !m.begun(s.job):
		return nil, "a task submitted by one that it does not run"
	case taken:
		return nil, "the number of a call twice"
	case len(m.errands.open) >= worker.MaxCalls:
		return nil, "more tasks at a time than it may submit"
	case len(c.Argument) > p.config.MaxPayload, m.errands.bytes+len(c.Argument) > p.config.MaxPayload+payloadRoom:
		return nil, "more bytes of arguments than it may submit"
	}
	return s.job, ""
}

// take queues an errand as one of its parent's brood, which may be the parent's
// first.
func (p *ProcessPool) take(e *errand, parent *Job, b *brood) {
	p.mu.Lock()
	running := parent.state == jobSent
	if running {
		parent.brood = b
	}
	m := e.member
	if m.errands.open == nil {
		m.errands.open = make(map[uint64]*errand)
	}
	m.errands.open[e.number] = e
	m.errands.bytes += e.size
	p.mu.Unlock()
	if !running {
		b.end(errParentOver)
	}
	p.admit(&e.Job, parent)
}

// nest takes a job into the brood of a running one. With the first one the
// parent's worker lends its place, and gives back what stands behind it. Under the
// lock.
func (p *ProcessPool) nest(j, parent *Job) error {
	if parent.state != jobSent {
		return errParentOver
	}
	if err := p.loans.nest(j, parent); err != nil {
		return err
	}
	if parent.brood.jobs == 1 {
		parent.member.withdrawAll()
		p.balance()
	}
	return nil
}

// newBrood makes one whose jobs end with ctx, or when the parent is over. Without
// the pool's lock, since ctx may be of the caller's own making.
func newBrood(ctx context.Context) *brood {
	b := &brood{}
	b.ctx, b.end = context.WithCancelCause(ctx)
	return b
}

// done notes that an errand is done, before the worker is told.
func (e *errand) done() {
	e.end(nil)
	p := e.member.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if o := &e.member.errands; o.open[e.number] == e {
		delete(o.open, e.number)
		o.bytes -= e.size
	}
}

func (e *errand) reply(answer []byte) bool {
	e.done()
	e.member.link.Reply(e.number, answer)
	return true
}

// A reply begins with one of these, and how often the task was tried again. What
// follows is the encoded result, or a packed error.
const (
	replyValue = iota
	replyError
)

// maxReplyHead is how long the beginning of a reply may be.
const maxReplyHead = 1 + binary.MaxVarintLen64

// answerWith makes a reply.
func (e *errand) answerWith(kind byte, data []byte) []byte {
	reply := append(make([]byte, 0, maxReplyHead+len(data)), kind)
	return append(binary.AppendUvarint(reply, e.retries), data...)
}

// parseReply is the inverse of answerWith. The host is trusted.
func parseReply(reply []byte) (kind byte, retries uint64, data []byte) {
	if len(reply) == 0 {
		return replyError, 0, nil
	}
	retries, n := binary.Uvarint(reply[1:])
	return reply[0], retries, reply[1+max(n, 0):]
}

func (e *errand) encode() ([]byte, error)    { return e.argument, nil }
func (e *errand) call(context.Context) error { panic("an errand runs in another process") }
func (e *errand) types() (in, out string)    { return "", "" }

func (e *errand) decode(value worker.Payload) error {
	keep := func(data []byte) error {
		e.answer = e.answerWith(replyValue, data)
		return nil
	}
	if value.Region != nil {
		return value.Region.Use(keep)
	}
	return keep(value.Data)
}

// report passes a report on; the future is there, and knows whether it wants it.
func (e *errand) report(r *report) bool {
	e.member.link.Pass(e.number, r.encoded)
	return true
}

func (e *errand) succeed() bool           { return e.reply(e.answer) }
func (e *errand) took(time.Duration)      {}
func (e *errand) start() bool             { return true }
func (e *errand) retried()                { e.retries++ }
func (e *errand) fork() *Job              { panic("an errand runs in another process") }
func (e *errand) adopt(*Job)              {}
func (e *errand) fail(err error) bool     { return e.reply(e.answerWith(replyError, packError(err))) }
func (e *errand) cancel(cause error) bool { return e.fail(&futures.CancelledError{Cause: cause}) }
