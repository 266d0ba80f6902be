package pool

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sync"

	"github.com/stint-go/stint/runtime/worker"
)

// RegisterContextValue has the value under key, a V, travel with every task: if
// the context that a task is submitted with has it, so has the task's own in a
// worker process. (On a goroutine pool a task's context has all of its caller's
// values anyway.) The value travels as arguments do; the name stands for the key
// on the way. All that travel with a task may have 64 KiB together, or 1 KiB if a
// task in a worker process submits it. A task without any costs nothing more.
//
//	type userKey struct{}
//
//	func init() { pool.RegisterContextValue[User]("user", userKey{}) }
//
// Call it while the program's package variables are initialised, as NewTask. A
// name that is empty or taken, and a nil key, are mistakes in the program, and
// panic. A value that is no V, cannot be encoded or is too large fails its task
// with a *CodecError; so does one that cannot be decoded.
//
// The trace context of OpenTelemetry travels by itself: see docs/rationale.md.
func RegisterContextValue[V any](name string, key any) {
	if key == nil || !reflect.TypeOf(key).Comparable() {
		panic(fmt.Sprintf("pool.RegisterContextValue: the key of %q cannot be one of a context", name))
	}
	_, file, line, _ := runtime.Caller(1)
	registerCarrier(&carrier{
		name:  name,
		place: fmt.Sprintf("%s:%d", file, line),
		pack: func(ctx context.Context) ([]byte, error) {
			value := ctx.Value(key)
			if value == nil {
				return nil, nil
			}
			v, ok := value.(V)
			if !ok {
				return nil, fmt.Errorf("it is a %T, and was registered as a %v", value, reflect.TypeFor[V]())
			}
			return encode(v)
		},
		unpack: func(ctx context.Context, data []byte) (context.Context, error) {
			v, err := codec[V]{apart: shapeOf(reflect.TypeFor[V]()).decodes}.decodeApart(data)
			return context.WithValue(ctx, key, v), err
		},
	})
}

// carrier takes one thing from a caller's context to its task's.
type carrier struct {
	name  string
	place string // file and line of its registration
	// pack encodes what ctx has of it; nil: nothing.
	pack func(ctx context.Context) ([]byte, error)
	// unpack returns a context that has what was encoded. It does not panic or end
	// the goroutine.
	unpack func(ctx context.Context, data []byte) (context.Context, error)
}

// carriers are all, in the order of their registration.
var carriers struct {
	sync.RWMutex
	all []*carrier
}

func registerCarrier(c *carrier) {
	carriers.Lock()
	defer carriers.Unlock()
	if c.name == "" {
		panic("pool.RegisterContextValue: no name, at " + c.place)
	}
	if i := slices.IndexFunc(carriers.all, func(other *carrier) bool { return other.name == c.name }); i >= 0 {
		panic(fmt.Sprintf("pool.RegisterContextValue: two values are named %q: at %s and at %s", c.name, carriers.all[i].place, c.place))
	}
	carriers.all = append(carriers.all, c)
}

// carry encodes what the job's context has that travels. An error is a
// *CodecError. Without the pool's lock.
func (j *Job) carry() error {
	carriers.RLock()
	all := carriers.all
	carriers.RUnlock()
	var packed map[string][]byte
	for _, c := range all {
		data, err := c.pack(j.ctx)
		if err != nil {
			return j.carryError("encode", "context value "+c.name, err)
		}
		if data != nil {
			if packed == nil {
				packed = make(map[string][]byte)
			}
			packed[c.name] = data
		}
	}
	if packed == nil {
		return nil
	}
	encoded, err := worker.Marshal(packed)
	if err == nil {
		err = worker.CheckValues(len(encoded))
	}
	if err != nil {
		return j.carryError("encode", "context values", err)
	}
	j.carried = &encoded
	return nil
}

func (j *Job) carryError(op, what string, err error) error {
	return &CodecError{Run: j.asRun(), Op: op, What: what, Type: "context.Context", Err: err}
}

// receive returns a context that has what carry has encoded, in a worker process.
func receive(parent context.Context, carried []byte) (context.Context, *worker.Failure) {
	var packed map[string][]byte
	if err := worker.Unmarshal(carried, &packed); err != nil {
		return nil, &worker.Failure{Kind: worker.FailureArgument, Message: "context values: " + err.Error()}
	}
	carriers.RLock()
	all := carriers.all
	carriers.RUnlock()
	ctx := parent
	for _, c := range all {
		data, ok := packed[c.name]
		if !ok {
			continue
		}
		var err error
		if ctx, err = c.unpack(ctx, data); err != nil {
			return nil, &worker.Failure{Kind: worker.FailureArgument, Message: fmt.Sprintf("context value %s: %v", c.name, err)}
		}
	}
	return ctx, nil
}
