package wire

import (
	"encoding/binary"
	"fmt"
)

// Region says where in the shared memory an argument or a result is: the payload of
// KindTaskAt after the task's head, and of KindValueAt after the result's.
type Region struct {
	Index  uint32 // of a result: its number among those that the worker has told; OfArgument: it is where the argument was
	Offset uint64 // in the half of the memory that is for arguments, or for results
	Size   uint64 // bytes
}

const (
	// RegionSize is the number of bytes of an encoded region.
	RegionSize = 20
	// OfArgument is the index of a result that is in the region of its task's
	// argument.
	OfArgument = 1<<32 - 1
)

// AppendRegion appends the encoding of a region.
func AppendRegion(dst []byte, r Region) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, r.Index)
	dst = binary.LittleEndian.AppendUint64(dst, r.Offset)
	return binary.LittleEndian.AppendUint64(dst, r.Size)
}

// ParseRegion decodes a region and checks that it is within memory of so many
// bytes, begins at a multiple of align, and has 1 to limit bytes.
func ParseRegion(data []byte, memory, align, limit int) (Region, error) {
	if len(data) != RegionSize {
		return Region{}, &Error{What: "region", Reason: fmt.Sprintf("%d bytes, not %d", len(data), RegionSize)}
	}
	r := Region{
		Index:  binary.LittleEndian.Uint32(data),
		Offset: binary.LittleEndian.Uint64(data[4:]),
		Size:   binary.LittleEndian.Uint64(data[12:]),
	}
	switch room := uint64(memory); {
	case r.Size == 0 || r.Size > uint64(limit):
		return r, &Error{What: "region", Reason: fmt.Sprintf("%d bytes, where 1 to %d can be", r.Size, limit)}
	case r.Offset > room || r.Size > room-r.Offset:
		return r, &Error{What: "region", Reason: fmt.Sprintf("%d bytes from %d on are beyond the %d that are shared", r.Size, r.Offset, memory)}
	case r.Offset%uint64(align) != 0:
		return r, &Error{What: "region", Reason: fmt.Sprintf("it begins at %d, not at a page", r.Offset)}
	}
	return r, nil
}
