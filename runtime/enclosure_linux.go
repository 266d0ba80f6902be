package runtime

import (
	"fmt"
	"slices"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/runtime/internal/cgroup"
	"github.com/stint-go/stint/runtime/internal/mark"
)

// enclosure is what one worker has started, with the worker. It implements
// actors.Enclosure.
type enclosure struct {
	of    *enclosures
	mark  mark.Mark     // 0: it has none
	group *cgroup.Group // nil: it has none

	// What it is held to.
	bounds  []*cgroup.Group // of version 1
	limit   int64           // of its memory; 0: none
	memory  *cgroup.Group   // that has it; nil: none
	watched bool            // since no group has
	counted bool            // a group has its limit of processes
	toll    int64           // of enclosures, at the start

	// Under the lock of enclosures.
	leader  int             // the worker's pid, from its start until it was reaped
	process *actors.Process // nil: it is not watched yet
	fallen  bool            // all is to end
	over    func()
	since   time.Time // when it fell

	// Of whoever looks: the goroutine, and close after it.
	due      time.Time // when to look again
	pause    time.Duration
	searched bool // the look that goes on is for its mark, too
	calm     mark.Calm
	err      error // what kept something from being killed at the last look
	told     bool  // over was called
}

// Place implements actors.Enclosure.
func (n *enclosure) Place(l actors.Limits) actors.Place {
	l.Memory = 0
	if n.counted {
		l.Processes = 0
	}
	place := actors.Place{Group: -1, Mark: uint64(n.mark), Limits: l}
	if n.group != nil {
		place.Group = n.group.Descriptor()
	}
	for _, g := range n.bounds {
		place.Entrances = append(place.Entrances, g.Entrance())
	}
	return place
}

// Watched implements actors.Enclosure.
func (n *enclosure) Watched(p *actors.Process) {
	n.of.mu.Lock()
	n.process = p
	n.of.mu.Unlock()
	if n.limit > 0 {
		n.of.stir()
	}
}

// Started implements actors.Enclosure. Until the process is known as the leader, nobody
// takes what bears the mark for an orphan.
func (n *enclosure) Started(pid int) error {
	n.of.mu.Lock()
	n.leader = pid
	n.of.mu.Unlock()
	if n.group != nil {
		n.group.Started()
	}
	for _, g := range n.bounds {
		g.Started()
	}
	if n.mark == 0 {
		return nil
	}
	if m, _ := mark.Of(pid); m == n.mark {
		return nil // from its birth on, as on most architectures
	}
	if err := n.mark.Set(pid); err != nil && n.group == nil {
		return fmt.Errorf("mark process %d: %w", pid, err)
	}
	return nil
}

// Condemned implements actors.Enclosure.
func (n *enclosure) Condemned() {
	n.of.mu.Lock()
	n.fall()
	n.of.mu.Unlock()
	n.of.stir()
}

// Ended implements actors.Enclosure.
func (n *enclosure) Ended(over func()) {
	n.of.mu.Lock()
	n.leader, n.over = 0, over
	n.fall()
	n.since = time.Now()
	n.of.mu.Unlock()
	n.of.stir()
}

// fall says that all of it is to end now. Under the lock.
func (n *enclosure) fall() {
	if !n.fallen {
		n.fallen, n.since = true, time.Now()
	}
}

// begin begins a look: the group is killed. It returns whether processes that bear
// the mark are to be looked for: where there is no group, for what this program
// has adopted, and in the end to make sure.
func (n *enclosure) begin() (search bool) {
	n.err = nil
	if n.group != nil {
		n.err = n.group.Kill()
	}
	n.searched = n.mark != 0 && (n.group == nil || n.of.adopts || n.of.isClosing())
	if n.searched {
		n.calm.Begin()
	}
	return n.searched
}

// find kills a process that bears the mark, but for the worker itself until it was
// reaped: that is the actors' to kill and the reactor's to reap.
func (n *enclosure) find(pid int, m mark.Mark) {
	if pid == n.worker() {
		return
	}
	state, err := n.of.table.Kill(pid, m)
	if err != nil {
		n.err = err
	}
	n.calm.Note(pid, state)
}

func (n *enclosure) worker() int {
	n.of.mu.Lock()
	defer n.of.mu.Unlock()
	return n.leader
}

// end ends a look, of which the list was whole unless there is an error. It returns
// when to look again; 0: there is no need to.
func (n *enclosure) end(err error) time.Duration {
	if n.searched {
		n.calm.End(err == nil)
	}
	if err != nil {
		n.err = err
	}
	worker := n.worker()
	if worker == 0 && n.group != nil && n.group.Remove() == nil {
		n.group = nil
	}
	n.bounds = slices.DeleteFunc(n.bounds, func(g *cgroup.Group) bool { return n.clears(g, worker) })
	quiet := !n.searched || n.calm.Over()
	switch {
	case quiet && n.group == nil && len(n.bounds) == 0 && worker == 0:
		n.gone()
		return 0
	case quiet && n.searched && worker != 0 && n.of.isClosing():
		return 0 // it is all that is left, and nothing more can be done about it
	}
	n.giveUp()
	n.pause = min(max(2*n.pause, firstPause), lastPause)
	wait := n.pause
	if n.searched && len(n.calm.Left()) == 0 && n.err == nil && !quiet {
		wait = 1 // nothing to wait for: the next look makes sure
	}
	n.due = time.Now().Add(wait)
	return wait
}

// clears removes a group of version 1, or kills what is in it: nothing, as a rule, that
// was not killed before. As long as there is the worker its actor may ask a group what
// killed it, so none is removed before, though it may be empty.
func (n *enclosure) clears(g *cgroup.Group, worker int) (removed bool) {
	if worker == 0 && g.Remove() == nil {
		return true
	}
	if err := g.Kill(); err != nil {
		n.err = err
	}
	return false
}

// gone says that nothing is left.
func (n *enclosure) gone() {
	n.of.mu.Lock()
	delete(n.of.all, n)
	n.of.mu.Unlock()
	if n.mark != 0 {
		n.mark.Release()
	}
	n.tell()
}

// giveUp tells whoever waits, after a while, not to wait any longer.
func (n *enclosure) giveUp() {
	n.of.mu.Lock()
	waiting, since := n.over != nil, time.Since(n.since)
	n.of.mu.Unlock()
	if n.told || !waiting || since < clearLimit {
		return
	}
	n.of.logger.Warn("stint: what a worker has started was killed and does not go",
		"after", since.Round(time.Millisecond), "pids", n.calm.Left(), "err", n.err)
	n.tell()
}

func (n *enclosure) tell() {
	n.of.mu.Lock()
	over := n.over
	n.of.mu.Unlock()
	if over != nil && !n.told {
		n.told = true
		over()
	}
}

// abandon lets go of what does not go. Under the lock of enclosures, at its end.
func (n *enclosure) abandon() {
	if n.group != nil {
		n.group.Abandon()
	}
	for _, g := range n.bounds {
		g.Abandon()
	}
	if n.mark != 0 {
		n.mark.Release()
	}
}
