package reactor

import (
	"container/heap"
	"time"
)

// schedule is a heap of watches by the time of their next look. Times are
// counted from the start of the reactor.
type schedule []*Watch

// unscheduled is the position of a watch that is not in the schedule.
const unscheduled = -1

// put sets the time of w's next look.
func (s *schedule) put(w *Watch, due time.Duration) {
	w.due = due
	if w.position == unscheduled {
		heap.Push(s, w)
		return
	}
	heap.Fix(s, w.position)
}

// drop takes w out, if it is in.
func (s *schedule) drop(w *Watch) {
	if w.position != unscheduled {
		heap.Remove(s, w.position)
	}
}

// take removes the watches that are due now and appends them to due.
func (s *schedule) take(now time.Duration, due []*Watch) []*Watch {
	for len(*s) > 0 && (*s)[0].due <= now {
		due = append(due, heap.Pop(s).(*Watch))
	}
	return due
}

// The methods of heap.Interface.

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].due < s[j].due }

func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].position, s[j].position = i, j
}

// Push appends x, a *Watch.
func (s *schedule) Push(x any) {
	w := x.(*Watch)
	w.position = len(*s)
	*s = append(*s, w)
}

// Pop removes the last watch.
func (s *schedule) Pop() any {
	last := len(*s) - 1
	w := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	w.position = unscheduled
	return w
}
