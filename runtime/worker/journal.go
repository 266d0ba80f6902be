package worker

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// journal is memory that host and worker share, beside the claim table: the
// worker notes in it the results of a chunk's items, or of short tasks, and sends
// many together. If it dies, the host reads what was noted and not sent. So a crash
// takes no finished item or task with it, and yet not each result costs a system
// call.
//
// The worker's runner appends; a word tells how far it has come. Nothing in it
// means anything to the host while the worker lives, or before it was checked.
type journal struct {
	id     atomic.Uint64 // the chunk's number on the channel; 0: the data is frames of single tasks, see gather.go
	first  atomic.Uint64 // which item of the chunk is the first in here
	length atomic.Uint64 // bytes of whole items
	data   [journalSize]byte
}

// journalSize is what may wait to be sent. More would save little: so many bytes
// cost a hundred times what a system call does.
const journalSize = 256 << 10

const (
	pageSize      = 4 << 10
	journalOffset = (claimTableSize + pageSize - 1) / pageSize * pageSize
	// sharedSize is what host and worker share. Pages that are never used cost
	// nothing.
	sharedSize = journalOffset + int(unsafe.Sizeof(journal{}))
)

func journalIn(mapping []byte) *journal {
	return (*journal)(unsafe.Pointer(unsafe.SliceData(mapping[journalOffset:sharedSize])))
}

// read copies what is noted of a chunk. The worker is gone, and may have written
// nonsense.
func (j *journal) read(id uint64) (first int, items wire.Items) {
	length := j.length.Load()
	if j.id.Load() != id || length > journalSize {
		return 0, nil
	}
	return int(j.first.Load()), append(wire.Items(nil), j.data[:length]...)
}

// flushAfter is how long a result may wait in the journal for others, or for an
// item that runs long.
const flushAfter = 10 * time.Millisecond

// journalist is the worker's side of the journal. The runner appends without a
// lock; a timer sends what has waited too long.
type journalist struct {
	*journal
	write func(pieces ...[]byte)
	limit int // what may be in there: the host's limit may be smaller than the journal
	timer *time.Timer
	armed atomic.Bool // the timer runs

	gathered int       // results of single tasks in there; the runner's own, as since
	since    time.Time // when the first of them was added

	mu     sync.Mutex
	header wire.Header
	begun  time.Time
	sent   int    // bytes of data
	head   []byte // used again
}

func newJournalist(j *journal, limit int, write func(pieces ...[]byte)) *journalist {
	l := &journalist{journal: j, write: write, limit: min(journalSize, limit-wire.ItemsHeadSize)}
	l.timer = time.AfterFunc(time.Hour, l.ring)
	l.timer.Stop()
	return l
}

// open begins a chunk.
func (l *journalist) open(header wire.Header, begun time.Time) {
	l.tell()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.header, l.begun = header, begun
	l.id.Store(header.ID)
	l.first.Store(0)
}

// room is where the next result may be encoded, to save a copy.
func (l *journalist) room() []byte {
	at := int(l.length.Load()) + wire.ItemHeadSize
	if at >= l.limit {
		return nil
	}
	return l.data[at:at:l.limit]
}

// note adds the result of the chunk's item of that index. more says that another
// may follow soon.
func (l *journalist) note(index int, result []byte, failed, more bool) {
	length := int(l.length.Load())
	if length > 0 && length+wire.ItemHeadSize+len(result) > l.limit {
		l.empty(index)
		length = 0
	}
	if wire.ItemHeadSize+len(result) > l.limit {
		l.sendAlone(index, result, failed)
		return
	}
	at := length + wire.ItemHeadSize
	wire.PutItemHead(l.data[length:], len(result), failed)
	if len(result) > 0 && &result[0] != &l.data[at] {
		copy(l.data[at:], result)
	}
	l.length.Store(uint64(at + len(result)))
	if more && !l.armed.Load() {
		l.armed.Store(true)
		l.timer.Reset(flushAfter)
	}
}

// ring sends what has waited.
func (l *journalist) ring() {
	l.armed.Store(false)
	l.flush()
}

// empty sends what is left and makes room; the next item is that of the index.
func (l *journalist) empty(index int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.send(wire.KindItems)
	l.clear(index)
}

// close sends what is left: nothing follows of this chunk.
func (l *journalist) close() {
	l.timer.Stop()
	l.armed.Store(false)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.send(wire.KindLastItems)
	l.clear(0)
	l.id.Store(0)
}

// sendAlone sends a result that the journal cannot hold, before the next item
// begins. The journal is empty.
func (l *journalist) sendAlone(index int, result []byte, failed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var head [wire.ItemHeadSize]byte
	wire.PutItemHead(head[:], len(result), failed)
	l.write(append(l.frame(wire.KindItems, len(head)+len(result)), head[:]...), result)
	l.clear(index + 1)
}

// send sends what has not been sent. Under the lock.
func (l *journalist) send(kind wire.Kind) {
	end := int(l.length.Load())
	rest := l.data[l.sent:end]
	if frame := l.frame(kind, len(rest)); len(rest) < copyBelow {
		l.head = append(frame, rest...)
		l.write(l.head)
	} else {
		l.write(frame, rest)
	}
	l.sent = end
}

// frame returns what stands before so many bytes of items. Under the lock.
func (l *journalist) frame(kind wire.Kind, size int) []byte {
	h := l.header
	h.Kind = kind
	l.head = wire.AppendItemsHead(l.head[:0], h, time.Since(l.begun), size)
	return l.head
}

// clear empties the journal: what was in it has been sent. Under the lock.
func (l *journalist) clear(first int) {
	l.length.Store(0)
	l.first.Store(uint64(first))
	l.sent = 0
}
