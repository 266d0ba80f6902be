package pool

import (
	"context"
	"errors"
	"reflect"

	"github.com/stint-go/stint/futures"
)

// part is a run of consecutive items of a map, on its way through a pool as one
// job.
type part[In, Out any] struct {
	Job
	mapping *mapping[In, Out]
	in      In // of a single item, until it is encoded or over
	out     Out

	refusal error // why the pool did not accept it; of no single item's making

	// What follows is under the list's lock.
	size  int          // items
	over  int          // of these, settled
	ready []batch[Out] // settled and not taken, in order
	link  partLink[In, Out]
}

// newPart makes a part of one item.
func newPart[In, Out any](m *mapping[In, Out], before int, in In) *part[In, Out] {
	p := &part[In, Out]{mapping: m, in: in, size: 1}
	p.task, p.ctx, p.work, p.item, p.patient = m.task.definition, m.ctx, p, before+1, true
	p.apply(m.settings.items)
	return p
}

// encode drops the argument: it travels encoded, and is not kept twice.
func (p *part[In, Out]) encode() ([]byte, error) {
	in := p.in
	p.in = *new(In)
	return encode(in)
}

func (p *part[In, Out]) call(ctx context.Context) (err error) {
	p.out, err = p.mapping.task.run(ctx, p.in)
	return err
}

func (p *part[In, Out]) decode(value []byte) error { return decodeApart(value, &p.out) }

// succeed lets go of argument and result: nobody is running any more.
func (p *part[In, Out]) succeed() bool {
	b := batch[Out]{outs: []Out{p.out}}
	p.in, p.out = *new(In), *new(Out)
	p.settle(b)
	return true
}

func (p *part[In, Out]) start() bool { return true }

func (p *part[In, Out]) fail(err error) bool {
	var codec *CodecError
	if p.owner == nil && !errors.As(err, &codec) {
		p.refusal = err
		p.mapping.parts.drop(p)
		return true
	}
	p.settle(failedBatch[Out](p.size-p.over, err))
	return true
}

func (p *part[In, Out]) cancel(cause error) bool {
	p.settle(failedBatch[Out](p.size-p.over, &futures.CancelledError{Cause: cause}))
	return true
}

// settle tells the map of the next items that are over.
func (p *part[In, Out]) settle(b batch[Out]) { p.mapping.parts.settle(p, b) }

func (p *part[In, Out]) types() (in, out string) {
	return reflect.TypeFor[In]().String(), reflect.TypeFor[Out]().String()
}

// batch is the outcome of consecutive items.
type batch[Out any] struct {
	outs     []Out     // zero where the item failed
	failures []failure // in the order of their items
}

// failure is the error of one item of a batch.
type failure struct {
	at  int
	err error
}

func failedBatch[Out any](size int, err error) batch[Out] {
	b := batch[Out]{outs: make([]Out, size), failures: make([]failure, size)}
	for i := range b.failures {
		b.failures[i] = failure{i, err}
	}
	return b
}

// take returns an item's outcome and lets go of it. Items are taken in order.
func (b *batch[Out]) take(i int) (out Out, err error) {
	out, b.outs[i] = b.outs[i], out
	if len(b.failures) > 0 && b.failures[0].at == i {
		err, b.failures = b.failures[0].err, b.failures[1:]
	}
	return out, err
}
