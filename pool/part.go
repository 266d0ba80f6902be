package pool

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/runtime/worker"
)

// part is a run of consecutive items of a map, on its way through a pool as one
// job: a chunk, if it has several.
type part[In, Out any] struct {
	Job
	mapping *mapping[In, Out]
	in      In            // of a single item that is not encoded
	encoded worker.Items  // of the others
	alone   bool          // takes no further item
	out     Out           // of a single item
	elapsed time.Duration // of a single item, as its worker told
	arrived batch[Out]    // between decodeItems and settleItems

	refusal error // why the pool did not accept it; of no single item's making

	// What follows is under the list's lock, except that size is the mapping's own
	// until the part is sent.
	size  int          // items
	over  int          // of these, settled
	ready []batch[Out] // settled and not taken, in order
	link  partLink[In, Out]
}

// newPart makes a part of one item, behind so many.
func newPart[In, Out any](m *mapping[In, Out], before int, in In) *part[In, Out] {
	p := &part[In, Out]{mapping: m, size: 1}
	p.task, p.ctx, p.work, p.item = m.task.definition, m.ctx, p, before+1
	p.patient = true
	p.apply(m.task.definition.options, m.settings.items)
	if m.processes != nil {
		p.encoded = make(worker.Items, 0, m.bytes)
	}
	if m.processes == nil || !p.append(&in) {
		p.in, p.alone = in, true // in this process, or with what is wrong told by Submit
	}
	return p
}

// append encodes a further item; false: it cannot be encoded, or the part would
// become too large.
func (p *part[In, Out]) append(in *In) bool {
	at := len(p.encoded)
	if p.mapping.task.in.weight(in) > p.mapping.maxBytes-at {
		return false
	}
	items, err := p.mapping.task.in.append(p.encoded.Begin(), in)
	if err != nil || len(items) > p.mapping.maxBytes {
		return false
	}
	p.encoded = items
	p.encoded.End(at)
	return true
}

// extend adds an item; false: it takes none, or not this one.
func (p *part[In, Out]) extend(in *In) bool {
	if p.alone || !p.append(in) {
		return false
	}
	p.size++
	return true
}

// seal makes the part ready to be sent.
func (p *part[In, Out]) seal() {
	if p.size > 1 {
		p.chunk = &chunk{work: p, items: p.size}
	}
}

// encode drops the argument: it travels encoded, and is not kept twice.
func (p *part[In, Out]) encode() ([]byte, error) {
	encoded := p.encoded
	p.encoded = nil
	switch {
	case p.chunk != nil:
		return encoded, nil
	case len(encoded) > 0:
		argument, _, err := encoded.Next()
		return argument, err
	}
	in := p.in
	p.in = *new(In)
	return p.mapping.task.in.append(nil, &in)
}

func (p *part[In, Out]) call(ctx context.Context) (err error) {
	p.out, err = p.mapping.task.run(ctx, p.in)
	return err
}

func (p *part[In, Out]) fork() *Job {
	f := &part[In, Out]{Job: p.trial(), mapping: p.mapping, in: p.in}
	f.work = f
	return &f.Job
}

func (p *part[In, Out]) adopt(fork *Job) { p.out = fork.work.(*part[In, Out]).out }

func (p *part[In, Out]) decode(value worker.Payload) (err error) {
	p.out, err = p.mapping.task.out.receive(value)
	return err
}

// succeed lets go of argument and result: nobody is running any more.
func (p *part[In, Out]) succeed() bool {
	b := batch[Out]{outs: []Out{p.out}}
	p.in, p.out = *new(In), *new(Out)
	p.settle(b)
	p.measured(1, p.elapsed)
	return true
}

func (p *part[In, Out]) took(d time.Duration) { p.elapsed = d }
func (p *part[In, Out]) start() bool          { return true }
func (p *part[In, Out]) retried()             {}
func (p *part[In, Out]) report(*report) bool  { return true } // an item has no future: only WithProgress tells

func (p *part[In, Out]) fail(err error) bool {
	if p.owner == nil && !ofArgument(err) {
		p.refusal = err
		p.mapping.parts.drop(p)
		return true
	}
	p.mapping.parts.fail(p, err)
	return true
}

// ofArgument reports whether a job was refused for what its argument is, and
// not by a pool that refuses whatever comes.
func ofArgument(err error) bool {
	var codec *CodecError
	var tooLarge *QueueBytesError
	return errors.As(err, &codec) || errors.As(err, &tooLarge)
}

func (p *part[In, Out]) cancel(cause error) bool {
	p.mapping.parts.fail(p, &futures.CancelledError{Cause: cause})
	return true
}

// settle tells the map of the next items that are over.
func (p *part[In, Out]) settle(b batch[Out]) { p.mapping.parts.settle(p, b) }

func (p *part[In, Out]) types() (in, out string) {
	return reflect.TypeFor[In]().String(), reflect.TypeFor[Out]().String()
}

// split implements chunkWork: a part of the items from the given one on. Under
// the pool's lock.
func (p *part[In, Out]) split(at int) *Job {
	tail := &part[In, Out]{mapping: p.mapping, alone: true}
	tail.task, tail.ctx, tail.work, tail.item, tail.number = p.task, p.ctx, tail, p.item+at, p.number+uint64(at)
	tail.apply(p.task.options, p.mapping.settings.items)
	tail.limits, tail.carried, tail.owner = p.limits, p.carried, p.owner
	tail.argument = worker.Items(p.argument).Skip(at)
	p.argument = p.argument[:len(p.argument)-len(tail.argument)]
	if !p.mapping.parts.split(p, tail, at) {
		return nil
	}
	tail.seal()
	if tail.chunk == nil {
		tail.chunk = &chunk{work: tail, items: tail.size} // its argument is that of a chunk
	}
	return &tail.Job
}

// decodeItems implements chunkWork.
func (p *part[In, Out]) decodeItems(m *member, a *arrival) []failure {
	items, b := a.result.Items, batch[Out]{outs: make([]Out, a.result.Count)}
	for i := range b.outs {
		data, failed, _ := items.Next() // they were counted
		err := m.pool.config.checkPayload(len(data))
		switch {
		case failed:
			err = m.itemError(a, i, data)
		case err != nil:
			err = m.codecError(a, i, "encode", err)
		default:
			if b.outs[i], err = p.mapping.task.out.decodeApart(data); err != nil {
				err = m.codecError(a, i, "decode", err)
			}
		}
		if err != nil {
			b.failures = append(b.failures, failure{i, err})
		}
	}
	p.arrived = b
	return b.failures
}

// settleItems implements chunkWork.
func (p *part[In, Out]) settleItems() {
	b := p.arrived
	p.arrived = batch[Out]{}
	p.settle(b)
}

// measured implements chunkWork.
func (p *part[In, Out]) measured(items int, elapsed time.Duration) {
	p.mapping.pace.note(items, elapsed)
}
