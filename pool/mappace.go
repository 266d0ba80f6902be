package pool

import (
	"sync/atomic"
	"time"
)

// mapPace finds out how many items make a good chunk of a map: as many as run in
// chunkTime. It begins with one, and trusts what it has measured for no more than
// four times as many: so a few chunks tell, and none is far too long.
type mapPace struct {
	items atomic.Int64 // in a chunk
}

const (
	// chunkTime is how long a chunk should run: a hundred times what it costs to
	// send one, and short enough for workers to end together.
	chunkTime = 10 * time.Millisecond
	// maxChunk bounds the items of a chunk. More would save nothing.
	maxChunk = 1 << 16
)

// note takes in how long some items have run. It may be called by several at a
// time, of which one may be overlooked.
func (p *mapPace) note(items int, elapsed time.Duration) {
	now := p.size()
	good := int(float64(items) * float64(chunkTime) / float64(max(elapsed, 1)))
	if good > now {
		good = min(good, max(now, 4*items))
	}
	p.items.Store(int64(min(max(good, 1), maxChunk)))
}

// size is how many items a chunk should have.
func (p *mapPace) size() int { return max(1, int(p.items.Load())) }
