package mark

import "fmt"

// Mark is a root, which tells one program from all others on the machine, and a
// number for each of the levels below it: the worker, the worker's worker, …
type Mark uint64

const (
	rootBits  = 24
	levelBits = 13
	levels    = 3 // pool.MaxPoolDepth
	rootShift = levels * levelBits

	// most is how many marks there are below one: their numbers are 1 to most.
	most = 1<<levelBits - 1
)

// shift is where the number of a level, from 1, stands.
func shift(level int) int { return (levels - level) * levelBits }

// depth is how many levels below its root a mark is.
func (m Mark) depth() int {
	for level := levels; level > 0; level-- {
		if m>>shift(level)&most != 0 {
			return level
		}
	}
	return 0
}

// valid reports whether m can be a mark, as far as can be seen.
func (m Mark) valid() bool {
	if m>>rootShift == 0 || m>>(rootShift+rootBits) != 0 {
		return false
	}
	for level := 1; level <= m.depth(); level++ {
		if m>>shift(level)&most == 0 {
			return false
		}
	}
	return true
}

// child returns the mark with a number below m, which is not at the lowest level.
func (m Mark) child(number int) Mark { return m | Mark(number)<<shift(m.depth()+1) }

// Over reports whether o is below m, or m itself.
func (m Mark) Over(o Mark) bool { return o>>shift(m.depth()) == m>>shift(m.depth()) }

// Toward returns the mark right below m that is over o; none if o is not below m.
func (m Mark) Toward(o Mark) (Mark, bool) {
	if o == m || !m.Over(o) || m.depth() == levels {
		return 0, false
	}
	s := shift(m.depth() + 1)
	return o >> s << s, true
}

// String tells the root and the numbers.
func (m Mark) String() string {
	s := fmt.Sprintf("%x", uint64(m>>rootShift))
	for level := 1; level <= m.depth(); level++ {
		s += fmt.Sprintf("/%d", m>>shift(level)&most)
	}
	return s
}
