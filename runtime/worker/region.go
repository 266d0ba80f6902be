package worker

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// ErrReleased says that memory was to be used that has been given back.
var ErrReleased = errors.New("the memory has been released, or its task is over")

// Payload is an argument or a result in one of the two processes that share it.
type Payload struct {
	Data   []byte
	Region *Region // holds Data; nil: memory of this process alone
}

// Region is a part of the memory that a worker shares with its host, for one
// argument or result, until it is given back. All methods are safe from any
// goroutine.
type Region struct {
	data     []byte
	place    wire.Region  // in a worker: how it is told
	free     func()       // is called once, when nobody uses it any more
	users    atomic.Int64 // those who use it, and one until it is released
	released atomic.Bool
	given    sync.Once // to free, or to the host
	kept     bool      // the reader's own
}

func newRegion(data []byte, free func()) *Region {
	r := &Region{data: data, free: free}
	r.users.Store(1)
	return r
}

// Size returns the size in bytes.
func (r *Region) Size() int { return len(r.data) }

// Use calls f with the region's memory, which is f's until it returns, and returns
// its error, or ErrReleased without calling it. The other process may write there at
// any time, if it wants to do harm. If the memory cannot be accessed, that is an
// error, too.
func (r *Region) Use(f func(data []byte) error) (err error) {
	if !r.enter() {
		return ErrReleased
	}
	defer r.leave()
	return access(r.data, func() error { return f(r.data) })
}

// access calls f, which accesses shared memory, and makes an error of a fault there. It
// should never come to that: the memory is sealed at its size, and its pages were made
// before. But the other process can take pages away, and there may be none to be had
// when they are used again; and no worker is to end its host.
func access(memory []byte, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if value := recover(); value != nil {
			if err = faultIn(memory, value); err == nil {
				panic(value)
			}
		}
	}()
	return f()
}

// faultIn makes an error of a panic that comes from an access to memory.
func faultIn(memory []byte, value any) error {
	if e, ok := value.(interface {
		runtime.Error
		Addr() uintptr
	}); ok && e.Addr()-uintptr(unsafe.Pointer(unsafe.SliceData(memory))) < uintptr(len(memory)) {
		return fmt.Errorf("shared memory: %w", e)
	}
	return nil
}

// Copy returns a copy.
func (r *Region) Copy() (data []byte, err error) {
	err = r.Use(func(shared []byte) error {
		data = append([]byte(nil), shared...)
		return nil
	})
	return data, err
}

// enter is taken before the memory is used; false: it has been given back.
func (r *Region) enter() bool {
	for !r.released.Load() {
		n := r.users.Load()
		if n == 0 {
			return false
		}
		if r.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
	return false
}

func (r *Region) leave() {
	if r.users.Add(-1) == 0 {
		r.given.Do(r.free)
	}
}

// Release gives the memory back, once those who use it have done. A second call
// does nothing.
func (r *Region) Release() {
	if r.released.CompareAndSwap(false, true) {
		r.leave()
	}
}

// Keep is for a Receiver that goes on using the region of a result after its method
// has returned. It must Release it.
func (r *Region) Keep() { r.kept = true }

// Give makes the region a result's: it is the worker's end of the channel that
// passes it on now. False: it was given or released before.
func (r *Region) Give() bool {
	if !r.released.CompareAndSwap(false, true) {
		return false
	}
	passed := false
	r.given.Do(func() { passed = true })
	return passed
}
