package pool

import (
	"context"
	"fmt"
	"reflect"
	"runtime"

	"github.com/stint-go/stint/runtime/worker"
)

// State is what each worker of a pool makes for itself before its first task,
// and keeps for all of its tasks: a connection, a model, a cache. Make one with
// NewState, as a package variable. It is immutable and safe for use by any number
// of goroutines.
//
//	var db = pool.NewState("db", openDB, closeDB)
//
//	p, err := pool.NewProcessPool(pool.Config{Initializer: db.With(settings)})
//
// and in a task:
//
//	d, err := db.From(ctx)
//
// A worker runs one task at a time, so on a process pool nobody else uses its
// state meanwhile. The same holds for each goroutine of a goroutine pool, but for
// what a task has left behind: a goroutine that runs on when its task was given
// up keeps the state that it had.
type State[C, S any] struct{ definition *stateDefinition }

// NewState registers a state: open is the initializer of a worker, close its
// finalizer, which may be nil. Call it while the program's package variables are
// initialised, as NewTask; the same mistakes panic.
//
// The context given to open ends when the worker has had Config.StartTimeout, and
// when open returns: what it makes must not keep it. A worker whose open fails,
// panics, does not return in time or ends the process never runs a task; what
// that means for its pool is told at Config.Initializer.
//
// close is called when the worker leaves because the pool ends, or does not need
// it any more. Its context ends after Config.StopTimeout. That it fails is
// logged, nothing more. It is not called in a worker that is killed or dies.
func NewState[C, S any](name string, open func(ctx context.Context, config C) (S, error), close func(ctx context.Context, state S) error) *State[C, S] {
	_, file, line, _ := runtime.Caller(1)
	place := fmt.Sprintf("%s:%d", file, line)
	if open == nil {
		panic(fmt.Sprintf("pool.NewState: state %q has no function to make it, at %s", name, place))
	}
	d := &stateDefinition{name: name, config: reflect.TypeFor[C]().String()}
	d.decode = func(argument []byte) (any, error) {
		var config C
		err := decode(argument, &config)
		return config, err
	}
	d.open = func(ctx context.Context, config any) (any, error) {
		c, _ := config.(C) // not ok: C is an interface, and the value nil
		return open(ctx, c)
	}
	d.close = func(ctx context.Context, state any) error {
		if close == nil {
			return nil
		}
		s, _ := state.(S)
		return close(ctx, s)
	}
	states.register("pool.NewState", name, place, d)
	return &State[C, S]{definition: d}
}

// With returns what makes a pool's workers have this state: a Config.Initializer.
// On a process pool the configuration is encoded, once, when the pool is made; on
// a goroutine pool all goroutines are given the same one.
func (s *State[C, S]) With(config C) *Initializer {
	return &Initializer{state: s.definition, config: config}
}

// From returns the state of the worker that runs the task whose context this is,
// or one that was derived from it. The error is a *StateError: the pool was not
// given this state.
func (s *State[C, S]) From(ctx context.Context) (S, error) {
	held, _ := ctx.Value(stateKey{}).(*heldState)
	if held == nil || held.definition != s.definition {
		err := &StateError{State: s.definition.name}
		if held != nil {
			err.Has = held.definition.name
		}
		return *new(S), err
	}
	state, _ := held.value.(S)
	return state, nil
}

// Initializer is a State and the configuration to make it with; see State.With.
type Initializer struct {
	state  *stateDefinition
	config any
}

// encode prepares the initializer for its way to workers.
func (i *Initializer) encode(config Config) (*worker.Initialization, error) {
	argument, err := encode(i.config)
	if err == nil && len(argument) > config.MaxPayload {
		err = fmt.Errorf("%d bytes are over Config.MaxPayload, %d", len(argument), config.MaxPayload)
	}
	if err != nil {
		return nil, &ConfigError{
			Field:  "Initializer",
			Reason: fmt.Sprintf("cannot encode the configuration of state %q, of type %s: %v", i.state.name, i.state.config, err),
		}
	}
	return &worker.Initialization{Name: i.state.name, Limit: config.StartTimeout, Argument: argument}, nil
}

// stateDefinition is a state without its types.
type stateDefinition struct {
	name   string
	config string // the Go type of the configuration
	decode func(argument []byte) (config any, err error)
	open   func(ctx context.Context, config any) (state any, err error)
	close  func(ctx context.Context, state any) error
}

// heldState is a state that a worker has made. The contexts of its tasks have it.
type heldState struct {
	definition *stateDefinition
	value      any
}

type stateKey struct{}

// hold makes a state.
func (d *stateDefinition) hold(ctx context.Context, config any) (*heldState, error) {
	value, err := d.open(ctx, config)
	if err != nil {
		return nil, err
	}
	return &heldState{definition: d, value: value}, nil
}

// in returns a context that has the state.
func (s *heldState) in(ctx context.Context) context.Context {
	return context.WithValue(ctx, stateKey{}, s)
}

// initialize makes the state of a worker process.
func initialize(ctx context.Context, name string, argument []byte) (values context.Context, failure *worker.Failure) {
	d, ok := states.find(name)
	if !ok {
		return nil, &worker.Failure{Kind: worker.FailureUnknown}
	}
	config, err := d.decode(argument)
	if err != nil {
		return nil, &worker.Failure{Kind: worker.FailureArgument, Message: err.Error()}
	}
	held, err := d.hold(ctx, config)
	if err != nil {
		return nil, describeError(err)
	}
	return held.in(context.Background()), nil
}

// finalize ends the state of a worker process.
func finalize(ctx context.Context) error {
	held := ctx.Value(stateKey{}).(*heldState)
	return held.definition.close(ctx, held.value)
}
