package worker

import (
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// This file is what an outbox writes at a time.

// batch is what is written together, in the order of the frames.
type batch struct {
	whole  []piece // large payloads, and what goes before each
	recent []byte  // the small frames after them
}

// piece is a part of what is written: bytes, or a task whose argument is first copied
// into the arena.
type piece struct {
	bytes []byte
	large *largeTask // nil: bytes
	of    uint64     // the task whose argument the bytes are; 0: they are none
}

// largeTask is a task that is offered with a large argument.
type largeTask struct {
	arena    *hostArena
	slot     uint16
	id       uint64
	name     string
	limit    time.Duration
	argument []byte
}

// pieces copies the argument into the arena and returns the frame that says so; or,
// where there is no room for it, the frame that brings it along.
func (t *largeTask) pieces() []piece {
	header := wire.Header{Kind: wire.KindTask, Slot: t.slot, ID: t.id, Size: uint32(wire.TaskHeadSize(t.name) + len(t.argument))}
	place, staged := t.arena.stage(t.slot, t.id, t.argument)
	if staged {
		header.Kind, header.Size = wire.KindTaskAt, uint32(wire.TaskHeadSize(t.name)+wire.RegionSize)
	}
	head := wire.AppendTaskHead(wire.AppendHeader(nil, header), t.name, t.limit)
	if staged {
		return []piece{{bytes: wire.AppendRegion(head, place)}}
	}
	return []piece{{bytes: head}, {bytes: t.argument}}
}

// payload adds a payload whose header was added before: of a task, or of none.
func (b *batch) payload(p []byte, task uint64) {
	if len(p) < copyBelow {
		b.recent = append(b.recent, p...)
	} else {
		b.whole = append(b.whole, piece{bytes: b.recent}, piece{bytes: p, of: task})
		b.recent = nil
	}
}

func (b *batch) empty() bool { return len(b.whole) == 0 && len(b.recent) == 0 }
