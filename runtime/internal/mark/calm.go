package mark

// State is what a marked process turned out to be.
type State uint8

const (
	Gone   State = iota // or another's pid by now
	Zombie              // has ended, and somebody has to reap it
	Lives               // and was sent SIGKILL just now, unless there is an error
)

// Calm tells when nothing is left of certain processes, from looks at the table.
// One look alone cannot tell: a process that forks and ends while the list is read
// hands over to a child that may stand where the reader has been. So it takes two
// in a row that find nothing but what had ended before.
type Calm struct {
	looks        int // in a row that found nothing new
	dead, former map[int]bool
	left         []int
	news         bool
}

// Begin begins a look.
func (c *Calm) Begin() {
	c.dead, c.former = c.former, c.dead
	if c.dead == nil {
		c.dead = map[int]bool{}
	}
	clear(c.dead)
	c.news, c.left = false, c.left[:0]
}

// Note notes what became of one process that was found.
func (c *Calm) Note(pid int, s State) {
	switch s {
	case Lives:
		c.left = append(c.left, pid)
	case Zombie:
		c.dead[pid] = true
		c.news = c.news || !c.former[pid]
	case Gone:
		c.news = true
	}
}

// End ends a look, at the whole table or at a part.
func (c *Calm) End(whole bool) {
	if c.looks++; c.news || len(c.left) > 0 || !whole {
		c.looks = 0
	}
}

// Over reports whether nothing is left.
func (c *Calm) Over() bool { return c.looks >= 2 }

// Left returns who had not ended at the last look.
func (c *Calm) Left() []int { return c.left }
