package process

import (
	"context"
	"errors"

	"github.com/stint-go/stint/runtime/internal/proctree"
)

// KillTree ends the process and all its descendants by SIGKILL, whatever process
// groups and sessions they are in, and returns them when all have ended. To let
// none escape by a fork, all are stopped before the first is killed. A descendant
// whose parent had ended before, as a daemon's has, is not reached.
//
// The error joins those of KILL, an [*Error] for each process that is not to be
// killed, and the context's cause if ctx has ended before them. The process has
// ended already: [os.ErrProcessDone]. It is init, this program, or an ancestor of it:
// [reactor.ErrInvalidPID]. If the tree could not be found out for a second, as for want
// of descriptors, nothing is killed, what was stopped goes on, and the error is the
// system's.
func (p Process) KillTree(ctx context.Context) ([]Gone, error) {
	killed, err := p.killTree()
	if killed == nil {
		return nil, &Error{p.pid, "kill the tree of", err}
	}
	gone, alive, waitErr := WaitMany(ctx, killed, nil)
	if waitErr == nil && len(alive) > 0 {
		waitErr = context.Cause(ctx)
	}
	return gone, errors.Join(err, waitErr)
}

// killTree returns whom it has killed, or tried to; none, if that failed as a whole.
func (p Process) killTree() (killed []Process, err error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	tree, err := proctree.Freeze(proctree.Process{PID: p.pid, Start: p.start})
	if err != nil {
		tree.Resume()
		tree.Close()
		return nil, err
	}
	defer tree.Close()
	var errs []error
	for _, m := range tree.Members {
		killed = append(killed, Process{m.PID, m.Start})
	}
	tree.Kill(func(p proctree.Process, why error) { errs = append(errs, &Error{p.PID, "kill", why}) })
	return killed, errors.Join(errs...)
}
