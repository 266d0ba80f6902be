package subprocess

import (
	"errors"
	"math"
	"os"
	"syscall"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/runtime/internal/proctree"
)

// fall is the end of a command and of all that it has started: SIGTERM, a grace,
// SIGKILL. What is in the command's group the actor reaches; what has left it, by
// setsid(2), is found by the links to its parent before the first signal is sent, since a
// parent that has ended has no children any more.
type fall struct {
	cause    actors.Cause
	deadline time.Time   // of SIGKILL; p.mu guards it
	grace    *time.Timer // rings then
}

// falls bounds how many trees are looked for at once: each look holds a thread.
var falls = make(chan struct{}, 2)

// longestGrace is longer than any program runs, and can be added to.
const longestGrace = math.MaxInt64 / 4 * time.Nanosecond

// backstop is how much later the actor kills the group by itself, whatever the looks at
// the tree come to.
const backstop = 3 * time.Second

// kill begins the command's fall, or hastens it. It does not block.
func (p *Process) kill(grace time.Duration, cause actors.Cause) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	grace = min(max(grace, 0), longestGrace)
	deadline := time.Now().Add(grace)
	if p.fall != nil {
		if deadline.Before(p.fall.deadline) {
			p.fall.deadline = deadline
			p.fall.grace.Reset(time.Until(deadline))
		}
		return
	}
	f := &fall{cause: cause, deadline: deadline, grace: time.NewTimer(grace)}
	p.fall = f
	p.open++
	go func() {
		p.bring(f, grace)
		f.grace.Stop()
		p.ended()
	}()
}

// bring brings the command down. The first cause that was given stands.
func (p *Process) bring(f *fall, grace time.Duration) {
	p.actor.Kill(actors.Ladder{Ask: true, Grace: grace + backstop}, f.cause)
	falls <- struct{}{}
	tree := p.freeze()
	if grace > 0 {
		tree = p.terminate(tree, f)
	}
	tree.Kill(func(proctree.Process, error) {}) // it has rights of its own
	p.actor.Kill(actors.Ladder{}, f.cause)
	tree.Close()
	<-falls
}

// freeze stops the command and what it has started, together with these. What cannot be
// found is left to the group's end, and told.
func (p *Process) freeze(these ...proctree.Process) *proctree.Tree {
	root, err := p.root()
	switch {
	case err == nil:
		these = append(these, root)
	case !errors.Is(err, os.ErrProcessDone):
		p.overlook(err)
	}
	tree, err := proctree.Freeze(these...)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.overlook(err)
	}
	return tree
}

// rootLimit is how long the command is looked for where the system refuses that, and
// rootPause how long to wait between two looks.
const (
	rootLimit = time.Second
	rootPause = 10 * time.Millisecond
)

// root returns the command as the root of its tree. The error is os.ErrProcessDone when
// it was reaped.
func (p *Process) root() (proctree.Process, error) {
	for begun := time.Now(); ; time.Sleep(rootPause) {
		s, err := proctree.ReadStat(p.PID())
		if p.actor.Signal(0) != nil { // else it was not reaped: the pid is its own
			return proctree.Process{}, os.ErrProcessDone
		}
		if err == nil || time.Since(begun) > rootLimit || errors.Is(err, errors.ErrUnsupported) {
			return proctree.Process{PID: p.PID(), Start: s.Start}, err
		}
	}
}

// overlook notes why strays may be left, where they can be looked for at all.
func (p *Process) overlook(why error) {
	if errors.Is(why, errors.ErrUnsupported) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.strays = &StrayError{Args: p.cmd.Args, PID: p.PID(), Err: why}
}

func (p *Process) overlooked() *StrayError {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.strays
}

// terminate asks the tree to end, and returns what there is of it when the grace is over, or
// the command.
func (p *Process) terminate(tree *proctree.Tree, f *fall) *proctree.Tree {
	_ = p.actor.SignalGroup(syscall.SIGTERM)
	strays := p.outside(tree)
	signal(strays, syscall.SIGTERM)
	tree.Resume()
	known := make([]proctree.Process, len(strays))
	for i, m := range strays {
		known[i] = m.Process
	}
	tree.Close()
	<-falls
	select {
	case <-f.grace.C:
	case <-p.exited:
	}
	falls <- struct{}{}
	return p.freeze(known...)
}

// outside returns those of the tree that have left the command's group.
func (p *Process) outside(tree *proctree.Tree) (strays []proctree.Member) {
	for _, m := range tree.Members {
		if m.Group != p.PID() {
			strays = append(strays, m)
		}
	}
	return strays
}

// signal has nobody to tell of an error: a member is gone, or has rights of its own.
func signal(members []proctree.Member, sig syscall.Signal) {
	for i := range members {
		_ = members[i].Signal(sig)
	}
}
