package worker

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// hostArena is the host's end of an arena. It stays mapped as long as anybody in this
// process uses it: the link, who copies into it, and each region that is a result.
type hostArena struct {
	arena
	limit   int  // of a payload
	shared  bool // the worker has mapped it, too; the reader's own
	users   atomic.Int64
	closed  atomic.Bool // the link uses it no more
	touched touched     // of the arguments

	mu     sync.Mutex
	space  space         // of the arguments
	staged [Slots]staged // by the slots of their tasks
	held   [maxRegions]bool
}

// staged is where the argument of a task is.
type staged struct {
	id uint64
	extent
}

func newHostArena(mapping []byte, limit int) *hostArena {
	a := &hostArena{arena: arenaIn(mapping), limit: limit}
	a.space.size = len(a.arguments)
	a.users.Store(1)
	return a
}

// enter is taken before the mapping is used; false: it may be gone.
func (a *hostArena) enter() bool {
	for {
		n := a.users.Load()
		if n == 0 {
			return false
		}
		if a.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// leave unmaps the arena if nobody uses it any more.
func (a *hostArena) leave() {
	if a.users.Add(-1) == 0 {
		_ = unmapShared(a.mapping)
	}
}

// close is the end of its link.
func (a *hostArena) close() {
	if a.closed.CompareAndSwap(false, true) {
		a.leave()
	}
}

// stage copies the argument of a task to where the worker finds it; false: there is no
// room, or no memory. One at a time: the link's writer calls it. It takes as long
// as the copy, and, where the memory is used first, some 600 ns for each page.
func (a *hostArena) stage(slot uint16, id uint64, argument []byte) (wire.Region, bool) {
	if !a.enter() {
		return wire.Region{}, false
	}
	defer a.leave()
	e, ok := a.reserve(slot, id, pages(len(argument)))
	if !ok {
		return wire.Region{}, false
	}
	err := a.touched.extend(a.arguments, e.end())
	if err == nil {
		room := a.arguments[e.offset:e.end()]
		err = access(room, func() error { copy(room, argument); return nil })
	}
	if err != nil {
		a.settled(slot)
		return wire.Region{}, false
	}
	return wire.Region{Offset: uint64(e.offset), Size: uint64(len(argument))}, true
}

func (a *hostArena) reserve(slot uint16, id uint64, size int) (extent, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.giveBack(slot) // of a worker that has made up a result
	offset, ok := a.space.take(size)
	if !ok {
		return extent{}, false
	}
	a.staged[slot] = staged{id, extent{offset, size}}
	return a.staged[slot].extent, true
}

// settled gives back the argument of the task in a slot, which is over, or was passed.
func (a *hostArena) settled(slot uint16) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.giveBack(slot)
}

// giveBack is settled under the lock.
func (a *hostArena) giveBack(slot uint16) {
	if s := &a.staged[slot]; s.size > 0 {
		a.space.give(s.offset)
		*s = staged{}
	}
}

// receive returns the region in which a worker says that a result is. The bytes there
// are the worker's to change at any time.
func (a *hostArena) receive(slot uint16, id uint64, told []byte) (*Region, error) {
	if a == nil || !a.shared {
		return nil, &wire.Error{What: "region", Reason: "nothing is shared"}
	}
	place, err := wire.ParseRegion(told, len(a.results), os.Getpagesize(), a.limit)
	if err != nil {
		return nil, err
	}
	if !a.enter() {
		return nil, os.ErrClosed // by us
	}
	half, free := a.results, func() {}
	if place.Index == wire.OfArgument {
		half = a.arguments
		free, err = a.receiveArgument(slot, id, place)
	} else {
		free, err = a.receiveResult(place)
	}
	if err != nil {
		a.leave()
		return nil, &wire.Error{What: "region", Reason: err.Error()}
	}
	end := place.Offset + place.Size
	return newRegion(half[place.Offset:end:end], func() { free(); a.leave() }), nil
}

// receiveArgument makes the region of a task's argument that of its result.
func (a *hostArena) receiveArgument(slot uint16, id uint64, place wire.Region) (free func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.staged[slot]
	if s.size == 0 || s.id != id || uint64(s.offset) != place.Offset || place.Size > uint64(s.size) {
		return nil, errors.New("it is not where the task's argument is")
	}
	a.staged[slot] = staged{}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.space.give(s.offset)
	}, nil
}

func (a *hostArena) receiveResult(place wire.Region) (free func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if place.Index >= maxRegions || a.held[place.Index] {
		return nil, fmt.Errorf("number %d, which is taken or cannot be", place.Index)
	}
	a.held[place.Index] = true
	return func() { a.giveResult(place.Index) }, nil
}

// giveResult gives a region back to the worker, which may use it again at once. If
// there is no memory for a table that the worker has taken away, that has no region
// given back.
func (a *hostArena) giveResult(index uint32) {
	a.mu.Lock()
	a.held[index] = false
	a.mu.Unlock()
	_ = access(a.mapping, func() error { a.table[index].Store(0); return nil })
}
