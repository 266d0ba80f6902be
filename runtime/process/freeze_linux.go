package process

import (
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/stint-go/stint/reactor"
)

// A process that is stopped in the middle of a fork has its child first, and
// nothing tells when it stands still. It takes some 10 µs, on a machine that is
// overloaded longer; more than a second nobody is given.
const (
	stopLook  = time.Millisecond
	stopLimit = time.Second
)

// freeze stops the tree, from the root down, until two looks in a row find
// nothing that is new or moves: a child may stand before its parent in a list
// that was begun before it was there.
func (p Process) freeze() (tree []Process, err error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	f := freezer{stopped: map[Process]bool{}}
	for calm, begun := 0, time.Now(); calm < 2 && time.Since(begun) < stopLimit; calm++ {
		all, err := scan()
		if err != nil {
			return f.tree, err
		}
		found := all.tree(p)
		if slices.ContainsFunc(found, sacred) {
			return f.tree, reactor.ErrInvalidPID
		}
		if f.stop(found) {
			calm = -1
			time.Sleep(stopLook)
		}
	}
	return f.tree, nil
}

// freezer has stopped the processes of a tree.
type freezer struct {
	tree    []Process
	stopped map[Process]bool
}

// stop stops those that it has not, and reports whether there was any, or one
// that moves yet.
func (f *freezer) stop(found []relative) (moved bool) {
	for _, r := range found {
		if f.stopped[r.Process] {
			moved = moved || !r.still()
			continue
		}
		moved = true
		f.stopped[r.Process] = true
		f.tree = append(f.tree, r.Process)
		_ = r.Signal(syscall.SIGSTOP) // if it cannot be, KILL will say so
	}
	return moved
}

// sacred tells what is not to be killed: init and this program.
func sacred(r relative) bool { return r.pid <= 1 || r.pid == os.Getpid() }
