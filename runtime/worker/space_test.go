package worker

import (
	"testing"

	"pgregory.net/rapid"
)

// A space never gives the same byte twice, finds each gap that is large enough, and
// the first of them.
func TestSpace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const size = 40
		s := space{size: size}
		var used [size]bool
		taken := map[int]int{}
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				n := rapid.IntRange(1, size+1).Draw(t, "size")
				want, gap := -1, 0
				for i := range used {
					if gap++; used[i] {
						gap = 0
					}
					if gap == n {
						want = i - n + 1
						break
					}
				}
				offset, ok := s.take(n)
				if ok != (want >= 0) || ok && offset != want {
					t.Fatalf("take %d: %d, %v; want %d; taken are %v", n, offset, ok, want, s.taken)
				}
				if ok {
					taken[offset] = n
					for i := range n {
						used[offset+i] = true
					}
				}
			},
			"give": func(t *rapid.T) {
				offset := rapid.IntRange(0, size).Draw(t, "offset") // which may be none that was taken
				s.give(offset)
				for i := range taken[offset] {
					used[offset+i] = false
				}
				delete(taken, offset)
			},
		})
	})
}
