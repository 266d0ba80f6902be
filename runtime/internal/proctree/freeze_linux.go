package proctree

import (
	"errors"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/stint-go/stint/reactor"
)

// A process that is stopped in the middle of a fork has its child first, and
// nothing tells when it stands still. It takes some 10 µs, on a machine that is
// overloaded longer; more than a second nobody is given. As long a look that fails, for
// want of descriptors mostly, is tried again.
const (
	firstPause = 100 * time.Microsecond
	lastPause  = 10 * time.Millisecond
	limit      = time.Second
)

// blockedLimit is how long after its stop one that is blocked counts as one that moves: it
// may wait for a lock of the kernel's in the middle of a fork, and have its child yet. After
// that it stands still in a vfork, or in whatever the system waits for.
const blockedLimit = 100 * time.Millisecond

// Tree is processes that were stopped, each after its parent.
type Tree struct {
	Members []Member
	known   map[Process]bool
}

// Freeze stops the roots and all below them, from the top down, until two looks in a
// row find nothing that is new or moves: a child may stand before its parent in a list
// that was begun before it was there, and one look cannot tell that. Who ended before
// he was stopped has left his children to others, and they are not found.
//
// Whatever the error, the tree holds what stands still by now: the caller ends it, or
// resumes it, and closes it. The error is os.ErrProcessDone if all roots are gone,
// reactor.ErrInvalidPID if init, this program or one of its ancestors is among them, or
// the system's if looking failed for a second.
func Freeze(roots ...Process) (*Tree, error) {
	t := &Tree{known: map[Process]bool{}}
	if err := refuse(roots); err != nil {
		return t, err
	}
	begun, pause := time.Now(), firstPause
	for calm := 0; calm < 2; calm++ {
		moved, err := t.look(roots)
		if err != nil && (errors.Is(err, reactor.ErrInvalidPID) || time.Since(begun) >= limit) {
			return t, err
		}
		if (err != nil || moved) && time.Since(begun) < limit {
			calm = -1
			time.Sleep(pause)
			pause = min(2*pause, lastPause)
		}
	}
	if len(t.Members) == 0 {
		return t, os.ErrProcessDone
	}
	return t, nil
}

// look stops what it finds that was not stopped, and reports whether there was any, or
// one that moves yet, as one that is blocked may.
func (t *Tree) look(roots []Process) (moved bool, err error) {
	childrenOf, err := kinship()
	if err != nil {
		return false, err
	}
	for _, root := range roots {
		if err := t.stop(root, &moved); err != nil {
			return moved, err
		}
	}
	for i := 0; i < len(t.Members); i++ {
		m := &t.Members[i]
		does, err := m.activity()
		if err == nil {
			moved = moved || !m.refuses && (does == moving || does == blocked && time.Since(m.since) < blockedLimit)
			var children []Relative
			children, err = childrenOf(m.Process)
			for _, child := range children {
				if err := t.stop(child.Process, &moved); err != nil {
					return moved, err
				}
			}
		}
		if err != nil && !errors.Is(err, os.ErrProcessDone) {
			return moved, err
		}
	}
	return moved, nil
}

// stop stops p, unless that was done before, or p is gone.
func (t *Tree) stop(p Process, moved *bool) error {
	if t.known[p] {
		return nil
	}
	if p.PID <= 1 || p.PID == os.Getpid() {
		return reactor.ErrInvalidPID
	}
	m, err := hold(p)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	if err != nil {
		return err
	}
	*moved = true
	m.refuses = m.Signal(syscall.SIGSTOP) != nil // what ends it will say so
	m.since = time.Now()
	t.known[p] = true
	t.Members = append(t.Members, m)
	return nil
}

// refuse refuses roots that are this program or above it, before anything is stopped.
func refuse(roots []Process) error {
	for pid := os.Getpid(); pid > 0; {
		s, err := ReadStat(pid)
		if errors.Is(err, os.ErrProcessDone) {
			return nil // this program was adopted meanwhile
		}
		if err != nil {
			return err
		}
		if slices.Contains(roots, Process{pid, s.Start}) {
			return reactor.ErrInvalidPID
		}
		pid = s.Parent
	}
	return nil
}

// Kill sends SIGKILL to all members, children before their parents: when a parent ends, and
// a process group that has stopped members has nobody left who could continue them, the
// kernel does, by SIGHUP and SIGCONT to all of it (setpgid(2), "orphaned process group").
// Where SIGHUP is ignored, as under nohup(1), they would go on, and fork, before their own
// SIGKILL. refused is told of each that is not to be killed, and why.
func (t *Tree) Kill(refused func(Process, error)) {
	for i := range slices.Backward(t.Members) {
		m := &t.Members[i]
		if err := m.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
			refused(m.Process, err)
		}
	}
}

// Resume lets go on what Freeze has stopped, children before their parents, so that
// none sees that its child was stopped. What was stopped before remains so.
func (t *Tree) Resume() {
	for i := range slices.Backward(t.Members) {
		if m := &t.Members[i]; !m.before {
			_ = m.Signal(syscall.SIGCONT) // who can be stopped can be continued, or is gone
		}
	}
}

// Close lets go of the members, which it leaves as they are.
func (t *Tree) Close() {
	for i := range t.Members {
		t.Members[i].release()
	}
}
