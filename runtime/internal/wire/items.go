package wire

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Items is a run of items one after another, as the arguments of a chunk and as
// their results: each with a head that tells its size and whether it failed. A
// failed item's data is the payload of a KindFailure.
type Items []byte

const (
	// ItemHeadSize is the number of bytes before an item's data.
	ItemHeadSize = 4
	// MaxItem is the most bytes of data that an item can have.
	MaxItem = 1<<31 - 1

	itemFailed = 1 << 31
)

// PutItemHead writes the head of an item of size bytes to the first ItemHeadSize
// bytes of dst.
func PutItemHead(dst []byte, size int, failed bool) {
	head := uint32(size)
	if failed {
		head |= itemFailed
	}
	binary.LittleEndian.PutUint32(dst, head)
}

// Begin appends room for the head of an item whose data is to be appended, and End
// writes it when that was done; at is how long the items were before Begin.
func (i Items) Begin() Items { return append(i, make([]byte, ItemHeadSize)...) }

// End is described at Begin.
func (i Items) End(at int) { PutItemHead(i[at:], len(i)-at-ItemHeadSize, false) }

// Skip returns the items without the first n, of which there are so many.
func (i Items) Skip(n int) Items {
	for range n {
		_, _, _ = i.Next()
	}
	return i
}

// Next removes the first item and returns its data, which aliases the items.
// There must be one.
func (i *Items) Next() (data []byte, failed bool, err error) {
	rest := *i
	if len(rest) < ItemHeadSize {
		return nil, false, &Error{What: "items", Reason: fmt.Sprintf("%d bytes are too short for one", len(rest))}
	}
	head := binary.LittleEndian.Uint32(rest)
	end := ItemHeadSize + int(head&^itemFailed)
	if end > len(rest) {
		return nil, false, &Error{What: "items", Reason: fmt.Sprintf("an item of %d bytes, of which %d came", end, len(rest))}
	}
	*i = rest[end:]
	return rest[ItemHeadSize:end:end], head&itemFailed != 0, nil
}

// Count checks all of the items and returns how many there are.
func (i Items) Count() (n int, err error) {
	for ; len(i) > 0; n++ {
		if _, _, err := i.Next(); err != nil {
			return n, err
		}
	}
	return n, nil
}

// ChunkHeadSize is what AppendChunkHead appends after a task's head.
const ChunkHeadSize = 4

// AppendChunkHead appends what stands between a task's head and the items of a
// chunk, in the payload of a KindChunk: their number.
func AppendChunkHead(dst []byte, items int) []byte {
	return binary.LittleEndian.AppendUint32(dst, uint32(items))
}

// ParseChunk decodes a chunk's argument, as ParseTask finds it: the items, and
// how many they are.
func ParseChunk(argument []byte) (items Items, count int, err error) {
	if len(argument) < ChunkHeadSize {
		return nil, 0, &Error{What: "chunk", Reason: "it does not say how many items it has"}
	}
	told := uint64(binary.LittleEndian.Uint32(argument))
	items = argument[ChunkHeadSize:]
	if count, err = items.Count(); err != nil {
		return nil, 0, err
	}
	if count == 0 || uint64(count) != told {
		return nil, 0, &Error{What: "chunk", Reason: fmt.Sprintf("%d items, and it says %d", count, told)}
	}
	return items, count, nil
}

// ItemsHeadSize is the number of bytes before the items in the payload of a
// KindItems.
const ItemsHeadSize = ResultHeadSize

// AppendItemsHead appends a frame of results up to its items, of which size bytes
// follow.
func AppendItemsHead(dst []byte, h Header, elapsed time.Duration, size int) []byte {
	return AppendResultHead(dst, h, elapsed, size)
}

// ParseItems decodes a KindItems or KindLastItems payload, and counts the items.
func ParseItems(payload []byte) (r Result, items int, err error) {
	if r, err = ParseResult(payload); err == nil {
		items, err = Items(r.Data).Count()
	}
	return r, items, err
}
