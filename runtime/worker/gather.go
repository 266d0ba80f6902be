package worker

import (
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// This file is the journal between chunks. It then holds the results of single
// tasks, as the whole frames that are sent: those of short tasks gather, and leave
// in one write. Its id is 0, which is that of no task.

const (
	// gatherTime is how long results gather while one task after another is at once
	// over: one that runs longer is told before the next begins.
	gatherTime = 100 * time.Microsecond
	// gatherCount is how many gather at most, so that the host can send others
	// meanwhile.
	gatherCount = 64
	// tellAfter is how long a result waits at most behind the next task, if that runs
	// longer than those before it.
	tellAfter = 500 * time.Microsecond
)

// add notes a small frame, which is sent with those that follow. From then on the
// host finds it, whatever happens to this process. Runner only.
func (l *journalist) add(frame []byte, now time.Time) {
	length := int(l.length.Load())
	if length+len(frame) > journalSize {
		l.tell()
		length = 0
	}
	if l.gathered == 0 {
		l.since = now
	}
	l.gathered++
	copy(l.data[length:], frame)
	l.length.Store(uint64(length + len(frame)))
}

// gather decides whether what was added waits for more, since another task begins,
// and reports whether it was told instead. If it waits, a timer sends it should that
// task run long. Runner only.
func (l *journalist) gather(now time.Time) (told bool) {
	switch {
	case l.gathered == 0:
	case l.gathered >= gatherCount || now.Sub(l.since) >= gatherTime:
		l.tell()
		return true
	case !l.armed.Load():
		l.armed.Store(true)
		l.timer.Reset(tellAfter)
	}
	return false
}

// tell sends what was added, and makes room. Runner only.
func (l *journalist) tell() {
	if l.gathered == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sendRest()
	l.clear(0)
	l.gathered = 0
}

// flush sends what was added or noted, from any goroutine: something else is to be
// sent that should come after it.
func (l *journalist) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sendRest()
}

// sendRest sends what has not been sent. Under the lock.
func (l *journalist) sendRest() {
	end := int(l.length.Load())
	switch {
	case l.sent >= end:
	case l.id.Load() != 0:
		l.send(wire.KindItems)
	default:
		l.write(l.data[l.sent:end])
		l.sent = end
	}
}

// readResults copies what is noted of single tasks, and takes it apart. The worker
// is gone, and may have written nonsense: what follows that is left out.
func (j *journal) readResults() (results []Result) {
	length := j.length.Load()
	if j.id.Load() != 0 || length > journalSize {
		return nil
	}
	rest := append([]byte(nil), j.data[:length]...)
	for len(rest) > 0 {
		var header wire.Header
		var payload []byte
		var err error
		if header, payload, rest, err = wire.CutFrame(rest, journalSize); err != nil {
			break
		}
		result, err := parseResult(header, payload)
		if err != nil {
			break
		}
		results = append(results, result)
	}
	return results
}
