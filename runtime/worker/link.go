package worker

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// Receiver is told what comes over a Link. The calls come from the link's
// reader, one at a time; no call may block on the worker, and none comes after
// Closed.
type Receiver interface {
	// Ready is called once, when the handshake has succeeded and what there is to
	// initialize is initialized.
	Ready()
	// Results brings what finished, in the order in which it ran. The slice and
	// the bytes in it are the reader's own again when the call returns.
	Results([]Result)
	// Progress brings what a task has reported. It returns false if the worker has
	// not begun such a task. The bytes are the reader's own again when it returns.
	Progress(slot uint16, id uint64, value []byte) bool
	// Stack brings the answer to AskStack. The text is the worker's, unchecked.
	Stack(id uint64, text string)
	// Called brings what a running task asks, to be answered by Reply. The bytes in
	// it are the reader's own again when the call returns. An error is that the
	// worker must not have asked that: it ends the reading.
	Called(Call) error
	// Closed is called once, last. The error is nil at a plain end of the
	// channel, ErrNoMain, a *HandshakeError, an *InitializeError, a *ProtocolError,
	// or from the system.
	Closed(error)
}

// Result is the end of one offer: a value, a failure, or skipped.
type Result struct {
	Slot    uint16
	ID      uint64
	Skipped bool          // it had been withdrawn; the worker has passed it, and its slot is free
	Elapsed time.Duration // by the worker's own clock
	Value   []byte        // the encoded value, if Failure is nil
	Region  *Region       // holds Value, which the worker can change; it ends with the call, unless it is kept. nil: Value is the reader's
	Failure *Failure

	// Of a chunk: the results of the next items, how many they are, and whether
	// nothing is left of it. Then Value and Failure are nil, and Elapsed is that of
	// the chunk so far.
	Chunk, Last bool
	Items       Items
	Count       int
}

// LinkConfig says how a Link is made.
type LinkConfig struct {
	Worker     int             // the worker's number, for messages
	Limit      int             // the largest payload in bytes, both ways: 1 to 2³²-1
	Initialize *Initialization // what the worker does before it is ready; nil: nothing
	Arena      int             // bytes to share for payloads from LargePayload on, half of them each way; 0: none
	Receiver   Receiver
	Faults     Faults // for tests; nil: none

	// Stdout and Stderr are where the worker's output goes on to; nil: nowhere. Each
	// is written to by one goroutine, which closes it at the stream's end. One that
	// blocks holds up the worker that writes, and nothing else; at the link's end it
	// is not waited for.
	Stdout, Stderr io.WriteCloser
}

// Initialization is what Handlers.Initialize gets in a worker process.
type Initialization struct {
	Name     string
	Limit    time.Duration // when its context ends; 0: never
	Argument []byte
}

// Link is the host's end of the channel to one worker process: two sockets
// for frames, the claim table, and the reading ends of the worker's standard
// output and error. Nothing of it is shared with another worker.
//
// Offer, Withdraw, Begun and LastSign must not run at the same time; the pool calls them
// under its lock. Release comes after all of them. The other methods are safe from any goroutine.
type Link struct {
	config  LinkConfig
	channel channel
	stdout  *output // nil: the null device
	stderr  *output
	claims  *claimTable
	arena   *hostArena // nil: there is none
	tail    tail       // of standard error
	nonce   [wire.NonceSize]byte

	outbox *outbox      // the hello is its first frame
	asked  atomic.Int32 // stacks that the worker may tell yet
	batch  []Result     // the reader's own: results that it has not delivered
}

// Open makes a link and the files that the worker must find as its descriptors
// 0 to 5. The files belong to the caller, who closes them once the process has
// started or failed to.
func Open(config LinkConfig) (*Link, []*os.File, error) {
	if config.Limit < 1 || int64(config.Limit) > math.MaxUint32 {
		return nil, nil, fmt.Errorf("channel to worker %d: a payload of up to %d bytes is not possible", config.Worker, config.Limit)
	}
	l := &Link{config: config}
	files, err := l.openFiles()
	if err == nil {
		err = l.greet()
	}
	if err != nil {
		for _, f := range files {
			f.Close()
		}
		l.Close()
		l.Release()
		return nil, nil, fmt.Errorf("channel to worker %d: %w", config.Worker, err)
	}
	return l, files, nil
}

// outputs returns the streams that are read.
func (l *Link) outputs() (all []*output) {
	for _, o := range []*output{l.stdout, l.stderr} {
		if o != nil {
			all = append(all, o)
		}
	}
	return all
}

// Start begins the handshake: the process is running. It starts the reader,
// which starts and waits for those of the worker's output, and tells the receiver
// Closed when nothing of the link runs any more: after the worker's death, a
// violation of the protocol, or Close.
func (l *Link) Start() { go l.run() }

func (l *Link) run() {
	for _, o := range l.outputs() {
		go o.pass()
	}
	err := l.read()
	l.channel.close() // unblocks a writer
	l.outbox.close()
	deadline := time.Now().Add(outputDrain)
	for _, o := range l.outputs() {
		o.end(deadline)
	}
	l.config.Receiver.Closed(err)
}

// Close ends the channel at once, without the worker's consent, and without
// waiting. A worker that lives takes it for its host's death, and leaves.
func (l *Link) Close() {
	l.channel.close()
	for _, o := range l.outputs() {
		o.pipe.Close()
	}
	if l.arena != nil {
		l.arena.close()
	}
}

// Release gives the claim table back to the system. Nothing may be asked of it
// afterwards.
func (l *Link) Release() {
	if l.claims != nil {
		_ = unmapShared(l.claims.mapping)
		l.claims = nil
	}
}

// StderrTail returns the last 16 KiB that the worker wrote to standard error.
func (l *Link) StderrTail() string { return l.tail.String() }

// Offer sends a task ahead, with the next Flush. It neither blocks nor makes a
// system call. The slot must be free, the id never used on this link before, and
// the argument left alone until the task is settled.
func (l *Link) Offer(slot uint16, id uint64, task string, limit time.Duration, argument []byte) {
	l.guarded(func() { l.claims.offer(slot, id) })
	l.outbox.task(slot, id, task, limit, 0, argument)
}

// Written reports whether the link has no use any more for the argument, of so many bytes
// and less than LargePayload, of a task that was offered with this number: it was written,
// and not only offered.
func (l *Link) Written(id uint64, size int) bool {
	return size < copyBelow || l.outbox.written.Load() >= id
}

// Settled says that a slot is free again, in which a task was offered with a large
// argument: that is over, or was passed.
func (l *Link) Settled(slot uint16) {
	if l.arena != nil {
		l.arena.settled(slot)
	}
}

// Carry sends values for the context of the task that is offered next, with this
// number. Like Offer it does not write; values are copied.
func (l *Link) Carry(id uint64, values []byte) { l.outbox.values(id, values) }

// Flush writes what was offered. It does not wait: what a worker that is slow to
// read leaves over, a goroutine of the link writes.
func (l *Link) Flush() { l.outbox.flush() }

// Hold keeps what is offered from now on, and what else is not written yet, from being
// written, whoever flushes; or no longer does, for the next Flush to write it. Like Offer it
// does not write.
func (l *Link) Hold(held bool) { l.outbox.hold(held) }

// Withdraw takes an offered task back, at once and for good. False: the worker
// has begun it.
func (l *Link) Withdraw(slot uint16, id uint64) (withdrawn bool) {
	l.guarded(func() { withdrawn = l.claims.withdraw(slot, id) })
	return withdrawn
}

// NotedResults returns the results of tasks that a worker which is gone had noted
// and not sent, and some that it had, in the order in which they ran. They are as
// the worker wrote them.
func (l *Link) NotedResults() (results []Result) {
	l.guarded(func() { results = journalIn(l.claims.mapping).readResults() })
	return results
}

// Begun tells whether the worker has begun the task, and when.
func (l *Link) Begun(slot uint16, id uint64) (at time.Time, begun bool) {
	l.guarded(func() { at, begun = l.claims.begun(slot, id) })
	return at, begun
}

// LastSign tells when a running task has last given a sign of life; before the
// first one it is a time long past.
func (l *Link) LastSign() (at time.Time) {
	l.guarded(func() { at = l.claims.lastSign() })
	return at
}

// guarded calls f, which accesses the claim table or the journal. A worker can take
// their pages away, and there may be no memory for others: then f ends at once, as if
// the worker had written nothing there, and the host does not end with it.
func (l *Link) guarded(f func()) {
	defer forgive(l.claims.mapping, debug.SetPanicOnFault(true))
	f()
}

// forgive is deferred by guarded; it is access in the least time.
func forgive(memory []byte, old bool) {
	debug.SetPanicOnFault(old)
	if value := recover(); value != nil && faultIn(memory, value) == nil {
		panic(value)
	}
}

// Cancel ends the context of a running task, with the reason DeadlineExceeded
// or Canceled. A task that is not running is left alone.
func (l *Link) Cancel(id uint64, deadline bool) {
	reason := wire.ReasonCanceled
	if deadline {
		reason = wire.ReasonDeadline
	}
	l.outbox.send(wire.AppendFrame(nil, wire.Header{Kind: wire.KindCancel, ID: id}, []byte{byte(reason)}))
}

// AskStack asks where a running task is. The answer may take long, or never come.
func (l *Link) AskStack(id uint64) {
	l.asked.Add(1)
	l.outbox.send(wire.AppendFrame(nil, wire.Header{Kind: wire.KindAskStack, ID: id}, nil))
}

// Quit asks the worker to leave once what it runs is done. The context of its
// finalizer ends after limit.
func (l *Link) Quit(limit time.Duration) { l.outbox.send(wire.AppendQuit(nil, limit)) }
