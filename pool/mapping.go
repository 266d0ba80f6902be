package pool

import (
	"context"
	"errors"
	"iter"

	"github.com/stint-go/stint/futures"
)

// mapping is one run of a map, in the goroutine of the caller's loop: it reads
// the input, sends parts of it to the pool, and yields what has landed. The input
// drives it (the loop's body runs inside of the input's iteration), so it needs
// neither a goroutine nor a coroutine.
type mapping[In, Out any] struct {
	task     *Task[In, Out]
	ctx      context.Context
	pool     Pool
	settings *mapSettings
	yield    func(item int, out Out, err error) bool // the item from 0, or noItem
	workers  int

	processes *ProcessPool // the pool, if it is one: then items travel in chunks
	single    bool         // but not these
	maxBytes  int          // of a chunk
	pace      mapPace
	bytes     int // that the last part had

	building *part[In, Out] // not sent yet; nil: the next item begins one
	read     int            // items that the input gave
	held     int            // of these, not taken from parts
	yielded  int            // of these, given to the loop
	order    []int          // which of the input's items comes next; nil: the next
	reading  bool           // the input has control: a panic is its own
	ending   error          // why the map ends before its input

	parts partList[In, Out] // sent, and not yielded to their end
}

// noItem stands for the number of an item where a result concerns none.
const noItem = -1

const (
	// atLeast is the smallest window that is not asked for.
	atLeast = 1024
	// partsAhead is how many parts may be under way for each worker.
	partsAhead = 4
	// maxPartBytes bounds the encoded items of a chunk.
	maxPartBytes = 1 << 20
)

func newMapping[In, Out any](t *Task[In, Out], ctx context.Context, p Pool, s *mapSettings, yield func(Out, error) bool) *mapping[In, Out] {
	m := &mapping[In, Out]{task: t, ctx: ctx, pool: p, settings: s, workers: max(1, p.Stats().Workers)}
	m.yield = func(item int, out Out, err error) bool {
		m.yielded++
		return yield(out, err)
	}
	m.parts.init(s.ordered && s.weights == nil)
	if processes, ok := p.(*ProcessPool); ok {
		m.processes, m.maxBytes = processes, min(maxPartBytes, processes.config.maxArgument())
		m.single = s.single(processes, t.definition)
	}
	return m
}

func (m *mapping[In, Out]) run(in iter.Seq[In]) {
	defer m.parts.abandon()
	if m.consume(in) && m.advance(0) && m.ending != nil {
		m.yieldError(m.ending)
	}
}

// consume puts the input through. It returns false when the loop is over, and
// true when the input is, be it by a panic, or when the pool refuses what it gives.
func (m *mapping[In, Out]) consume(in iter.Seq[In]) (goOn bool) {
	defer func() {
		if !m.reading {
			return // a panic is the loop's, and goes on
		}
		if value := recover(); value != nil {
			m.ending = newInputError(m.task.Name(), m.read, value)
			goOn = true
		}
	}()
	m.reading = true
	for item := range in {
		m.reading = false
		m.add(item)
		if m.ending != nil {
			return true
		}
		if !m.advance(m.window() - 1) {
			return false
		}
		m.reading = true
	}
	m.reading = false
	return true
}

// next is which of the input's items is read next, from 0.
func (m *mapping[In, Out]) next() int {
	if m.order != nil {
		return m.order[m.read]
	}
	return m.read
}

// window is how many items may be held.
func (m *mapping[In, Out]) window() int {
	if m.settings.window != nil {
		return *m.settings.window
	}
	return max(atLeast, partsAhead*m.workers*m.partSize())
}

// partSize is how many items a part should have.
func (m *mapping[In, Out]) partSize() int {
	switch {
	case m.processes == nil || m.single:
		return 1
	case m.settings.chunk != nil:
		return *m.settings.chunk
	case m.settings.window != nil:
		return min(m.pace.size(), max(1, *m.settings.window/(2*m.workers)))
	}
	return m.pace.size()
}

// add takes an item of the input. The part that it goes into is sent when it is
// full, or, as Nagle has it, when there are workers without one.
func (m *mapping[In, Out]) add(item In) {
	if m.building != nil && !m.building.extend(&item) {
		m.send()
	}
	if m.building == nil {
		m.building = newPart(m, m.next(), item)
	}
	m.read++
	m.held++
	if m.building.alone || m.building.size >= m.partSize() || m.settings.chunk == nil && m.parts.underWay() < m.workers {
		m.send()
	}
}

// send hands the part that is being built to the pool.
func (m *mapping[In, Out]) send() {
	p := m.building
	if p == nil {
		return
	}
	m.building = nil
	p.seal()
	size := p.size
	m.bytes = len(p.encoded)
	m.parts.add(p)
	m.pool.Submit(&p.Job)
	if p.refusal != nil {
		m.held -= size
		m.ending = p.refusal
	}
}

// advance yields what has landed, and waits for it while more items are held
// than may be. It returns false when the loop is over.
func (m *mapping[In, Out]) advance(most int) bool {
	for m.held > most || m.parts.landed() {
		b, ok := m.parts.take()
		switch {
		case ok:
			if !m.hand(b) {
				return false
			}
		case m.held > most:
			m.send()
			if !m.parts.wait(m.ctx) {
				return m.cutShort()
			}
		}
	}
	return true
}

// hand yields what a part has brought. It returns false when the loop is over.
func (m *mapping[In, Out]) hand(b batch[Out]) bool {
	for i := range b.outs {
		out, err := b.take(i)
		if err != nil && m.ctx.Err() != nil && endedByContext(err) {
			return m.cutShort()
		}
		m.held--
		if !m.yield(b.first+i, out, err) {
			return false
		}
	}
	return true
}

// endedByContext reports whether an item's error is what the end of the map's
// context does to items. The map tells that once, and not by each of them.
func endedByContext(err error) bool {
	return errors.Is(err, futures.ErrCancelled) || errors.Is(err, ErrKilled)
}

// cutShort ends the map for the end of its context.
func (m *mapping[In, Out]) cutShort() bool {
	m.yieldError(&MapError{Task: m.task.Name(), Yielded: m.yielded, Unfinished: m.read - m.yielded, Cause: context.Cause(m.ctx)})
	return false
}

func (m *mapping[In, Out]) yieldError(err error) {
	var none Out
	m.yield(noItem, none, err)
}
