package reactor

import (
	"container/heap"
	"time"
)

// schedule is a heap of what is to be done, by its time. Times are counted from
// the start of the reactor.
type schedule []entry

// entry is what can be scheduled: the next look at a watch, or an alarm.
type entry interface {
	appointment() *appointment
	// act does it, on the loop, which holds no lock.
	act()
}

// appointment is an entry's place in the schedule. The reactor's mu guards it.
type appointment struct {
	due      time.Duration
	position int // unscheduled: none
}

// unscheduled is the position of an entry that is not in the schedule.
const unscheduled = -1

// put sets the time of e.
func (s *schedule) put(e entry, due time.Duration) {
	a := e.appointment()
	a.due = due
	if a.position == unscheduled {
		heap.Push(s, e)
		return
	}
	heap.Fix(s, a.position)
}

// drop takes e out, if it is in.
func (s *schedule) drop(e entry) {
	if a := e.appointment(); a.position != unscheduled {
		heap.Remove(s, a.position)
	}
}

// next returns the time of the first entry; 0: there is none.
func (s schedule) next() time.Duration {
	if len(s) == 0 {
		return 0
	}
	return s.due(0)
}

// take removes what is due now and appends it to due.
func (s *schedule) take(now time.Duration, due []entry) []entry {
	for len(*s) > 0 && s.due(0) <= now {
		due = append(due, heap.Pop(s).(entry))
	}
	return due
}

func (s schedule) due(i int) time.Duration { return s[i].appointment().due }

// The methods of heap.Interface.

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s.due(i) < s.due(j) }

func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].appointment().position, s[j].appointment().position = i, j
}

// Push appends x, an entry.
func (s *schedule) Push(x any) {
	e := x.(entry)
	e.appointment().position = len(*s)
	*s = append(*s, e)
}

// Pop removes the last entry.
func (s *schedule) Pop() any {
	last := len(*s) - 1
	e := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	e.appointment().position = unscheduled
	return e
}
