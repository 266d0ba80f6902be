package worker

import "slices"

// space hands out pieces of a range, each from the first gap that is large enough:
// so what is used again is used first, and little of a large range is ever touched.
type space struct {
	size  int
	taken []extent // in the order of their offsets
}

// extent is a piece of a space.
type extent struct{ offset, size int }

func (e extent) end() int { return e.offset + e.size }

// take takes so many bytes; false: there is no gap of that size.
func (s *space) take(size int) (offset int, ok bool) {
	at := 0
	for _, e := range s.taken {
		if e.offset-offset >= size {
			break
		}
		offset = e.end()
		at++
	}
	if size > s.size-offset {
		return 0, false
	}
	s.taken = slices.Insert(s.taken, at, extent{offset, size})
	return offset, true
}

// give gives back what was taken at an offset.
func (s *space) give(offset int) {
	at, found := slices.BinarySearchFunc(s.taken, offset, func(e extent, offset int) int { return e.offset - offset })
	if found {
		s.taken = slices.Delete(s.taken, at, at+1)
	}
}
