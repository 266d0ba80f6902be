package pool

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/runtime/worker"
)

// Task is a function with a name, by which a worker process finds it. Make one
// with NewTask, as a package variable. It is immutable and safe for use by any
// number of goroutines.
type Task[In, Out any] struct {
	definition *definition
	run        func(context.Context, In) (Out, error)
	in         codec[In]
	out        codec[Out]
}

// NewTask registers a task. Call it while the program's package variables are
// initialised: a worker process is the same program, and knows the tasks that
// exist when its main calls Main.
//
// When the task runs in another process, In and Out travel as CBOR: exported
// fields of structs, and what encoding.BinaryMarshaler or cbor.Marshaler say. A
// number, boolean, text, or slice of bytes or other numbers alone travels as what
// it is in memory, for the price of copying it; of slices so, an empty one arrives
// as nil. On a goroutine pool they are handed over as they are.
//
// The context given to run ends at the task's deadline, and when the context
// that the task was submitted with ends; a task that heeds it keeps its worker.
//
// The options hold for every call of the task; those of a call go before them.
//
// A name that is empty, longer than 1024 bytes or taken, a nil function, and an
// option that cannot be, are mistakes in the program, and panic; for a taken name
// the message tells both places.
func NewTask[In, Out any](name string, run func(ctx context.Context, in In) (Out, error), options ...Option) *Task[In, Out] {
	_, file, line, _ := runtime.Caller(1)
	place := fmt.Sprintf("%s:%d", file, line)
	if run == nil {
		panic(fmt.Sprintf("pool.NewTask: task %q has no function, at %s", name, place))
	}
	var probe Job
	probe.apply(options, nil)
	if err := probe.checkOptions(); err != nil {
		panic(fmt.Sprintf("pool.NewTask: task %q: %v, at %s", name, err, place))
	}
	t := &Task[In, Out]{definition: &definition{name: name, options: options}, run: run, in: codecFor[In](), out: codecFor[Out]()}
	t.definition.serve, t.definition.items = t.serve, t.serveItem
	tasks.register("pool.NewTask", name, place, t.definition)
	return t
}

// Name returns the name that the task was registered with.
func (t *Task[In, Out]) Name() string { return t.definition.name }

// Submit hands the task to a pool and returns the future of its result. It does
// not wait for a worker; with a bounded queue it may wait for room, as long as
// ctx allows. What goes wrong, the pool's refusal included, is the future's
// error.
//
// The argument is encoded before Submit returns and may be changed afterwards,
// unless the pool is a goroutine pool, where the task gets the argument itself.
//
// When ctx ends before the task has begun, the task is cancelled; afterwards its
// own context ends, and if it does not return within the grace period its worker
// is killed.
func (t *Task[In, Out]) Submit(ctx context.Context, p Pool, in In, options ...Option) *futures.Future[Out] {
	c := &call[In, Out]{of: t, in: in}
	return c.submit(ctx, p, options)
}

// call is a job with its types: the argument, the function, the result, and the
// promise of it.
type call[In, Out any] struct {
	Job
	of      *Task[In, Out]
	in      In
	out     Out
	promise futures.Promise[Out]
}

func (c *call[In, Out]) submit(ctx context.Context, p Pool, options []Option) *futures.Future[Out] {
	promise, future := futures.New[Out]((*control)(&c.Job))
	c.promise = promise
	c.task, c.ctx, c.work = c.of.definition, ctx, c
	c.apply(c.task.options, options)
	if err := c.check("Submit", p); err != nil {
		c.fail(err)
	} else {
		p.Submit(&c.Job)
	}
	return future
}

// encode drops the argument: it travels encoded, and is not kept twice.
func (c *call[In, Out]) encode() ([]byte, error) {
	if data, ok := c.of.in.encodeInPlace(&c.in); ok {
		return data, nil
	}
	in := c.in
	c.in = *new(In)
	memory := borrow(c.of.in.rawSize(&in))
	c.borrowed = memory != nil
	return c.of.in.append(memory, &in)
}

func (c *call[In, Out]) call(ctx context.Context) (err error) {
	c.out, err = c.of.run(ctx, c.in)
	return err
}

func (c *call[In, Out]) fork() *Job {
	f := &call[In, Out]{Job: c.trial(), of: c.of, in: c.in, promise: c.promise}
	f.work = f
	return &f.Job
}

func (c *call[In, Out]) adopt(fork *Job) { c.out = fork.work.(*call[In, Out]).out }

func (c *call[In, Out]) decode(value worker.Payload) (err error) {
	c.out, err = c.of.out.receive(value)
	return err
}

func (c *call[In, Out]) succeed() bool {
	succeeded := c.promise.Succeed(c.out)
	if !succeeded {
		c.of.out.discard(&c.out)
	}
	return succeeded
}

func (c *call[In, Out]) took(time.Duration)      {}
func (c *call[In, Out]) start() bool             { return c.promise.Start() }
func (c *call[In, Out]) report(r *report) bool   { return c.promise.Report(r) }
func (c *call[In, Out]) retried()                { c.promise.Retry() }
func (c *call[In, Out]) fail(err error) bool     { return c.promise.Fail(err) }
func (c *call[In, Out]) cancel(cause error) bool { return c.promise.Cancel(cause) }

func (c *call[In, Out]) types() (in, out string) {
	return reflect.TypeFor[In]().String(), reflect.TypeFor[Out]().String()
}
