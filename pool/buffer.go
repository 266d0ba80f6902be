package pool

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"

	"github.com/stint-go/stint/runtime/worker"
)

// Buffer is an argument or a result of many bytes that is not copied more often than
// it must be: declare a task with *Buffer for In, Out or both.
//
// Between a process pool and its worker a Buffer of 1 MiB or more travels through
// memory that the two share (see Config.SharedMemory). A task that takes one reads
// its argument there; it may change it, which nobody else sees, and return it. A task
// that returns one builds it there, with NewBuffer; whoever gets it from the future
// reads it there, and calls Release. All other Buffers are ordinary memory: of a
// smaller size, where there is no room, of tasks that a task has submitted, and on
// goroutine pools, where the task gets the caller's Buffer, and the caller the task's.
//
//	task := pool.NewTask("crop", func(ctx context.Context, in *pool.Buffer) (*pool.Buffer, error) {
//		out := pool.NewBuffer(ctx, size)
//		err := out.Use(func(to []byte) error {
//			return in.Use(func(from []byte) error { return crop(to, from) })
//		})
//		return out, err
//	})
//
// An argument is copied when a worker takes the task, not by Submit: leave the memory
// of a Buffer from BufferOf unchanged until the task's future is settled; after one
// that was cancelled it may still be read for a moment, to no effect. (A Buffer that
// came from a task, or that NewBuffer has made in a task, Submit copies; then it may
// be released at once.)
//
// A Buffer that a worker process has made, or got as its argument, ends with the
// task, unless it is the task's result; what was taken from it is then the memory of
// other tasks.
//
// Within a struct, slice or map a *Buffer travels by value, like a []byte.
//
// All methods are safe from any goroutine; who may write to its memory is for those
// who use it to agree on.
type Buffer struct {
	heap    atomic.Pointer[[]byte] // nil: shared, or released
	shared  *worker.Region         // nil: ordinary memory
	cleanup runtime.Cleanup
}

// ErrReleased says that a Buffer was to be used, submitted or returned that has been
// released, or whose task is over.
var ErrReleased = worker.ErrReleased

var errNilBuffer = errors.New("the Buffer is nil")

// NewBuffer returns a Buffer of size bytes for the result of the running task whose
// context ctx is, or is derived from: in a worker process in the memory that it shares
// with its host, if there is room, and not cleared. Anywhere else it is ordinary
// memory. It panics if size is negative.
func NewBuffer(ctx context.Context, size int) *Buffer {
	if r := worker.Allocate(ctx, size); r != nil {
		return &Buffer{shared: r}
	}
	return BufferOf(make([]byte, size))
}

// BufferOf returns a Buffer of the bytes that are in data, which it does not copy.
func BufferOf(data []byte) *Buffer {
	b := &Buffer{}
	b.heap.Store(&data)
	return b
}

// bufferOfResult returns a Buffer of a result that has come. The garbage collector
// releases one that was forgotten.
func bufferOfResult(p worker.Payload) *Buffer {
	if p.Region == nil {
		return BufferOf(append([]byte(nil), p.Data...))
	}
	p.Region.Keep()
	b := &Buffer{shared: p.Region}
	b.cleanup = runtime.AddCleanup(b, (*worker.Region).Release, p.Region)
	return b
}

// Use calls f with the Buffer's memory and returns f's error, or ErrReleased without
// calling it. The memory is f's until it returns: a Release meanwhile, or the garbage
// collector, waits for it. Do not keep data, or parts of it, beyond that.
//
// A result that is shared is its worker's as well. One that was taken over by hostile
// code can change it at any time: do not rely on what you have checked there, but
// copy it first, as all other types of results are. If the memory cannot be accessed,
// Use returns an error.
func (b *Buffer) Use(f func(data []byte) error) error {
	defer runtime.KeepAlive(b)
	if b.shared != nil {
		return b.shared.Use(f)
	}
	if data := b.heap.Load(); data != nil {
		return f(*data)
	}
	return ErrReleased
}

// Bytes returns a copy of the Buffer's bytes, or ErrReleased.
func (b *Buffer) Bytes() (data []byte, err error) {
	err = b.Use(func(own []byte) error {
		data = append(make([]byte, 0, len(own)), own...)
		return nil
	})
	return data, err
}

// Len returns the number of bytes; 0, if ordinary memory has been released.
func (b *Buffer) Len() int {
	if b.shared != nil {
		return b.shared.Size()
	}
	if data := b.heap.Load(); data != nil {
		return len(*data)
	}
	return 0
}

// Release ends the use of the Buffer, here and now: a result's memory goes back to
// its worker, for its next results, or, if that is gone and this was its last, to the
// system. A pool that was closed meanwhile changes nothing. A second call does
// nothing. Results that are never released take the room of others, which then come
// by the slower way, until the garbage collector finds them.
func (b *Buffer) Release() {
	if b.shared != nil {
		b.cleanup.Stop()
		b.shared.Release()
	}
	b.heap.Store(nil)
}

// MarshalBinary implements encoding.BinaryMarshaler: it copies.
func (b *Buffer) MarshalBinary() ([]byte, error) {
	if b == nil {
		return nil, errNilBuffer
	}
	return b.Bytes()
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler: it copies, into ordinary
// memory, and is for a Buffer that is new.
func (b *Buffer) UnmarshalBinary(data []byte) error {
	own := append([]byte(nil), data...)
	b.heap.Store(&own)
	return nil
}

// append appends the Buffer's bytes to dst. If that is nil, ordinary memory is
// returned as it is; what is shared ends when its owner says, and is copied.
func (b *Buffer) append(dst []byte) ([]byte, error) {
	switch {
	case b == nil:
		return nil, errNilBuffer
	case dst == nil && b.shared == nil:
		if data := b.heap.Load(); data != nil {
			return *data, nil
		}
	}
	err := b.Use(func(data []byte) error {
		dst = append(dst, data...)
		return nil
	})
	return dst, err
}

// give makes the Buffer a task's result, and releases it if it is shared.
func (b *Buffer) give() (worker.Payload, error) {
	if b == nil || b.shared == nil {
		data, err := b.append(nil)
		return worker.Payload{Data: data}, err
	}
	p := worker.Payload{Region: b.shared}
	err := b.Use(func(data []byte) error {
		p.Data = data
		return nil
	})
	if err == nil && !b.shared.Give() {
		err = ErrReleased
	}
	return p, err
}
