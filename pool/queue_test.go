package pool

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestQueueOrder holds the queue against its definition, written down as slowly
// as it is said: after any pushes, pops, removals and returns, by any workers, the
// next job is the one that the definition names, and no lane is kept that is not
// in use.
func TestQueueOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &queueModel{t: t, workers: make([]*Job, 3), lanes: make([]*lane, 3), turns: make(map[placement]int)}
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			m.step()
			m.check()
		}
	})
}

// queueModel is a queue and what it should hold.
type queueModel struct {
	t        *rapid.T
	queue    queue
	accepted uint64
	waiting  []*Job // in no order
	workers  []*Job // what each runs, or nil
	lanes    []*lane
	turns    map[placement]int // when each last had its turn
	turn     int
}

func (m *queueModel) step() {
	w := rapid.IntRange(0, len(m.workers)-1).Draw(m.t, "worker")
	switch rapid.SampledFrom([]string{"push", "push", "begin", "end", "return", "remove", "ahead"}).Draw(m.t, "step") {
	case "push":
		m.accepted++
		j := &Job{number: m.accepted, limits: &noLimits, placed: &placement{
			depth:    rapid.IntRange(0, 1).Draw(m.t, "depth"),
			priority: rapid.IntRange(-1, 0).Draw(m.t, "priority"),
			name:     rapid.SampledFrom([]string{"", "a", "b"}).Draw(m.t, "name"),
		}}
		m.add(j)
	case "begin":
		if len(m.waiting) > 0 {
			m.serve(w, m.pop(w))
		}
	case "end":
		m.serve(w, nil)
	case "return": // what a worker had goes back
		if j := m.workers[w]; j != nil {
			m.serve(w, nil)
			m.add(j)
		}
	case "remove":
		if len(m.waiting) > 0 {
			j := rapid.SampledFrom(m.waiting).Draw(m.t, "removed")
			m.queue.remove(j)
			m.drop(j)
		}
	case "ahead": // sent behind what runs, and over at once
		if len(m.waiting) > 0 {
			m.pop(w)
		}
	}
}

func (m *queueModel) add(j *Job) {
	if !m.used()[j.placement()] { // a newcomer stands behind those that are there
		m.turns[j.placement()] = m.turn
	}
	m.queue.push(j)
	m.waiting = append(m.waiting, j)
}

func (m *queueModel) serve(w int, j *Job) {
	m.lanes[w] = m.queue.serves(j, m.lanes[w])
	m.workers[w] = j
}

func (m *queueModel) pop(w int) *Job {
	want := slices.MinFunc(m.waiting, func(a, b *Job) int {
		return slices.Compare(m.key(w, a), m.key(w, b))
	})
	if got := m.queue.pop(m.lanes[w]); got != want {
		m.t.Fatalf("the next job is %v of %+v, want %v of %+v", got.number, got.placement(), want.number, want.placement())
	}
	m.drop(want)
	m.turn++
	m.turns[want.placement()] = m.turn
	return want
}

// key is what decides on a job for a worker: the least is next.
func (m *queueModel) key(w int, j *Job) []int {
	at, workers := j.placement(), 0
	for other, runs := range m.workers {
		if other != w && runs != nil && runs.placement() == at {
			workers++
		}
	}
	return []int{-at.depth, -at.priority, workers, m.turns[at], int(j.number)}
}

func (m *queueModel) drop(j *Job) {
	m.waiting = slices.DeleteFunc(m.waiting, func(other *Job) bool { return other == j })
}

func (m *queueModel) check() {
	if m.queue.length != len(m.waiting) || (m.queue.next() == nil) != (len(m.waiting) == 0) {
		m.t.Fatalf("%d jobs wait, want %d", m.queue.length, len(m.waiting))
	}
	if got, want := len(m.queue.others), len(m.used())-1; got != want {
		m.t.Fatalf("%d lanes are kept, %d are in use", got, want)
	}
}

// used are the placements of which something waits or runs, and the plain one.
func (m *queueModel) used() map[placement]bool {
	used := map[placement]bool{{}: true}
	for _, j := range slices.Concat(m.waiting, m.workers) {
		if j != nil {
			used[j.placement()] = true
		}
	}
	return used
}
