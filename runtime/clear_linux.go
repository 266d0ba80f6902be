package runtime

import (
	"errors"
	"os"
	"slices"
	"time"

	"github.com/stint-go/stint/runtime/internal/cgroup"
	"github.com/stint-go/stint/runtime/internal/mark"
)

// reapOrphans reaps what workers have started and nobody owns any more, so that
// this program has adopted it. A worker itself is the reactor's to reap.
func (e *enclosures) reapOrphans() {
	leaders := map[mark.Mark]int{}
	e.mu.Lock()
	for n := range e.all {
		if n.mark != 0 {
			leaders[n.mark] = n.leader
		}
	}
	e.mu.Unlock()
	_ = e.table.Each(func(pid int, m mark.Mark) {
		top, _ := e.own.Toward(m)
		if leader, ours := leaders[top]; ours && leader != 0 && leader != pid {
			mark.Reap(pid)
		}
	})
}

// close ends what is left, also of workers that do not go, and the guard. The
// workers' actors have ended.
func (e *enclosures) close() error {
	e.mu.Lock()
	e.closing = true
	e.mu.Unlock()
	if e.begun {
		e.stir()
		<-e.ended
	}
	left := e.clear(time.Now().Add(closeLimit))
	e.sentry.relieve()
	if e.table != nil {
		e.table.Close()
	}
	if e.hosts != nil {
		if err := e.hosts.Close(); err != nil {
			left.Groups = append(left.Groups, e.hosts.Path())
		}
	}
	left.Groups = append(left.Groups, e.bounds.close()...)
	if e.begun && e.inForce == ContainMark {
		cgroup.Sweep(os.Getpid()) // of hosts that workers had, whose guards ended with them
	}
	e.toll.Close()
	if left.PIDs == nil && left.Groups == nil {
		return nil
	}
	return left
}

// clear ends what is left of all enclosures by one deadline.
func (e *enclosures) clear(deadline time.Time) *LeftError {
	e.mu.Lock()
	for n := range e.all {
		n.fall()
	}
	e.mu.Unlock()
	for {
		rest := e.fallen()
		next := e.look(rest)
		if next == 0 || time.Now().After(deadline) {
			break
		}
		time.Sleep(next)
	}
	left := &LeftError{}
	e.mu.Lock()
	defer e.mu.Unlock()
	for n := range e.all {
		if n.leader != 0 {
			left.PIDs = append(left.PIDs, n.leader)
		}
		left.PIDs = append(left.PIDs, n.calm.Left()...)
		left.Err = errors.Join(left.Err, n.err)
		n.abandon()
	}
	slices.Sort(left.PIDs)
	return left
}
