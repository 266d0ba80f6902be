package pool

import (
	"context"
	"fmt"
	"sync"

	"github.com/stint-go/stint/runtime/worker"
)

// definition is a task as the registry knows it: without its types.
type definition struct {
	name  string
	place string // file and line of its registration
	serve worker.Handler
}

// registry holds the program's tasks by name.
var registry sync.Map // string → *definition

func register(d *definition) {
	if err := worker.CheckName(d.name); err != nil {
		panic(fmt.Sprintf("pool.NewTask: %v, at %s", err, d.place))
	}
	if other, taken := registry.LoadOrStore(d.name, d); taken {
		panic(fmt.Sprintf("pool.NewTask: two tasks are named %q: at %s and at %s", d.name, other.(*definition).place, d.place))
	}
}

// serve runs a task in a worker process.
func serve(ctx context.Context, task string, argument []byte) ([]byte, *worker.Failure) {
	d, ok := registry.Load(task)
	if !ok {
		return nil, &worker.Failure{Kind: worker.FailureUnknown}
	}
	return d.(*definition).serve(ctx, task, argument)
}

// serve decodes, calls and encodes.
func (t *Task[In, Out]) serve(ctx context.Context, _ string, argument []byte) ([]byte, *worker.Failure) {
	var in In
	if err := decode(argument, &in); err != nil {
		return nil, &worker.Failure{Kind: worker.FailureArgument, Message: err.Error()}
	}
	out, err := t.run(ctx, in)
	if err != nil {
		return nil, describeError(err)
	}
	value, err := encode(out)
	if err != nil {
		return nil, &worker.Failure{Kind: worker.FailureResult, Message: err.Error()}
	}
	return value, nil
}
