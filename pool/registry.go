package pool

import (
	"context"
	"fmt"
	"sync"

	"github.com/stint-go/stint/runtime/worker"
)

// registry holds what a program has registered by name, so that a worker, which
// is the same program, finds it.
type registry[D any] struct{ entries sync.Map } // string → *entry[D]

type entry[D any] struct {
	place      string // file and line of its registration
	definition D
}

var (
	tasks  registry[*definition]
	states registry[*stateDefinition]
)

// register notes a definition. A name that cannot be or is taken is a mistake in
// the program: it panics, in the name of the function that was called.
func (r *registry[D]) register(function, name, place string, d D) {
	if err := worker.CheckName(name); err != nil {
		panic(fmt.Sprintf("%s: %v, at %s", function, err, place))
	}
	if other, taken := r.entries.LoadOrStore(name, &entry[D]{place, d}); taken {
		panic(fmt.Sprintf("%s: the name %q is given twice: at %s and at %s", function, name, other.(*entry[D]).place, place))
	}
}

func (r *registry[D]) find(name string) (d D, ok bool) {
	e, ok := r.entries.Load(name)
	if !ok {
		return d, false
	}
	return e.(*entry[D]).definition, true
}

// definition is a task without its types.
type definition struct {
	name    string
	options []Option // of every call
	serve   func(context.Context, worker.Payload) (worker.Payload, *worker.Failure)
	items   worker.ItemHandler
}

// serve runs a task in a worker process.
func serve(ctx context.Context, task string, argument worker.Payload) (worker.Payload, *worker.Failure) {
	d, ok := tasks.find(task)
	if !ok {
		return worker.Payload{}, &worker.Failure{Kind: worker.FailureUnknown}
	}
	return d.serve(ctx, argument)
}

// serveItems finds what runs a task's items in a worker process.
func serveItems(task string) worker.ItemHandler {
	d, ok := tasks.find(task)
	if !ok {
		return func(context.Context, []byte, []byte) ([]byte, *worker.Failure) {
			return nil, &worker.Failure{Kind: worker.FailureUnknown}
		}
	}
	return d.items
}

// serve decodes, calls and encodes.
func (t *Task[In, Out]) serve(ctx context.Context, argument worker.Payload) (value worker.Payload, failure *worker.Failure) {
	out, failure := t.answer(ctx, argument)
	if failure != nil {
		return worker.Payload{}, failure
	}
	value, err := t.out.give(&out)
	if err != nil {
		return worker.Payload{}, resultFailure(err)
	}
	return value, nil
}

// serveItem is serve for an item of a chunk.
func (t *Task[In, Out]) serveItem(ctx context.Context, argument, dst []byte) ([]byte, *worker.Failure) {
	out, failure := t.answer(ctx, worker.Payload{Data: argument})
	if failure != nil {
		return nil, failure
	}
	value, err := t.out.appendResult(dst, &out)
	if err != nil {
		return nil, resultFailure(err)
	}
	return value, nil
}

// answer decodes and calls.
func (t *Task[In, Out]) answer(ctx context.Context, argument worker.Payload) (out Out, failure *worker.Failure) {
	in, err := t.in.accept(argument)
	if err != nil {
		return out, &worker.Failure{Kind: worker.FailureArgument, Message: err.Error()}
	}
	if out, err = t.run(ctx, in); err != nil {
		return out, describeError(err)
	}
	return out, nil
}

// resultFailure is of a result that cannot be encoded.
func resultFailure(err error) *worker.Failure {
	f := describeError(err)
	f.Kind = worker.FailureResult
	return f
}
