package worker

import (
	"context"
	"sync"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// workerArena is a worker's end of an arena. It is mapped as long as the process
// lives. Its methods are safe from any goroutine.
type workerArena struct {
	arena
	touched touched // of the results

	mu    sync.Mutex
	space space            // of the results
	taken [maxRegions]bool // or given back and not collected
	at    [maxRegions]int  // offsets of these
}

func newWorkerArena(mapping []byte) *workerArena {
	a := &workerArena{arena: arenaIn(mapping)}
	a.space.size = len(a.results)
	return a
}

// take takes a region for a result; nil: there is no room, or no memory.
func (a *workerArena) take(size int) *Region {
	if a == nil || size > len(a.results) { // such sizes cannot be rounded up, either
		return nil
	}
	index, offset, ok := a.reserve(pages(size))
	if !ok {
		return nil
	}
	free := func() { a.table[index].Store(0) }
	if a.touched.extend(a.results, offset+pages(size)) != nil {
		free()
		return nil
	}
	r := newRegion(a.results[offset:offset+size:offset+size], free)
	r.place = wire.Region{Index: index, Offset: uint64(offset), Size: uint64(size)}
	return r
}

func (a *workerArena) reserve(size int) (index uint32, offset int, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	free := -1
	for i := range a.taken {
		if a.taken[i] && a.table[i].Load() == 0 { // given back
			a.space.give(a.at[i])
			a.taken[i] = false
		}
		if !a.taken[i] && free < 0 {
			free = i
		}
	}
	if free < 0 {
		return 0, 0, false
	}
	if offset, ok = a.space.take(size); ok {
		a.taken[free], a.at[free] = true, offset
		a.table[free].Store(1)
	}
	return uint32(free), offset, ok
}

// argument returns the region of an argument, as the host has told it.
func (a *workerArena) argument(told []byte) (*Region, error) {
	if a == nil {
		return nil, &wire.Error{What: "region", Reason: "nothing is shared"}
	}
	place, err := wire.ParseRegion(told, len(a.arguments), 1, len(a.arguments))
	if err != nil {
		return nil, err
	}
	end := place.Offset + place.Size
	r := newRegion(a.arguments[place.Offset:end:end], func() {}) // the host gives it back when the task is over
	r.place = place
	r.place.Index = wire.OfArgument
	return r, nil
}

// Allocate returns shared memory in which the running task whose context ctx is, or
// is derived from, can build its result. It is not cleared. It ends with the task,
// unless it is its result. nil: there is none, or size is below LargePayload, or ctx
// is of no task, or of an item of a chunk, whose results gather elsewhere.
func Allocate(ctx context.Context, size int) *Region {
	if size < LargePayload {
		return nil
	}
	c, ok := ctx.Value(taskKey{}).(*taskContext)
	if !ok || c.id == initialization || c.ofChunk {
		return nil
	}
	r := c.server.arena.take(size)
	if r != nil && !c.own(r) {
		r.Release()
		return nil
	}
	return r
}

// own notes that a region ends with the task; false: the task is over.
func (c *taskContext) own(r *Region) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false
	}
	c.regions = append(c.regions, r)
	return true
}

// disown ends the regions of a task that is over, but for the one that is its result.
func (c *taskContext) disown() {
	c.mu.Lock()
	regions := c.regions
	c.regions, c.over = nil, true
	c.mu.Unlock()
	for _, r := range regions {
		r.Release()
	}
}

// share puts a large result into the arena if there is room.
func (s *server) share(value Payload) Payload {
	if value.Region == nil && len(value.Data) >= LargePayload {
		if r := s.arena.take(len(value.Data)); r != nil {
			copy(r.data, value.Data)
			r.Give()
			return Payload{Data: r.data, Region: r}
		}
	}
	return value
}
