package pool

import (
	"math/bits"
	"sync"
	"unsafe"

	"github.com/stint-go/stint/runtime/worker"
)

// This file is the memory of encoded arguments that are bytes, texts or numbers: it is
// used again when their tasks are over. That saves a task with such an argument of 16 or 64
// KiB a third of its time: pages that the caches hold, and less to collect.

// Arguments of so many bytes are in memory that is used again: smaller ones cost little,
// and larger ones are copied into memory that their worker shares.
const (
	leastBorrowed = 4 << 10
	mostBorrowed  = worker.LargePayload
)

// arguments has a pool for each size of memory: four between a power of two and the
// next, so that a fifth of it is unused at most.
var arguments [4 * 64]sync.Pool

// sizeOf returns which of the pools has memory for so many bytes, and its size.
func sizeOf(bytes int) (pool *sync.Pool, size int) {
	step := bits.Len(uint(bytes-1)) - 3 // a quarter of the power of two below, as a shift
	quarters := (bytes + 1<<step - 1) >> step
	return &arguments[4*step+quarters-5], quarters << step
}

// borrow returns empty memory for an argument of so many bytes; nil: it is of a size
// that has none.
func borrow(bytes int) []byte {
	if bytes < leastBorrowed || bytes >= mostBorrowed {
		return nil
	}
	pool, size := sizeOf(bytes)
	if memory, ok := pool.Get().(*byte); ok {
		return unsafe.Slice(memory, size)[:0]
	}
	return make([]byte, 0, size)
}

// giveBack takes back what borrow has returned. Nobody refers to it any more.
func giveBack(memory []byte) {
	pool, _ := sizeOf(cap(memory))
	pool.Put(unsafe.SliceData(memory[:1]))
}

// giveBackArgument takes back the memory of a job's argument, if it was borrowed. The job
// is over, with a result of this worker. What another worker was offered, too, or has not
// been written to this one, is left to the garbage collector: a worker that lies about
// what it has read must not get the argument of another task. Without the lock.
func (m *member) giveBackArgument(j *Job) {
	if j.borrowed && j.retry == nil && m.link.Written(j.id, len(j.argument)) {
		giveBack(j.argument)
		j.argument, j.borrowed = nil, false
	}
}
