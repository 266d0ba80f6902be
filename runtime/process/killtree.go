package process

import (
	"context"
	"errors"
	"os"
)

// KillTree ends the process and all its descendants by SIGKILL, whatever process
// groups and sessions they are in, and returns them when all have ended. To let
// none escape by a fork, all are stopped before the first is killed. A descendant
// whose parent had ended before, as a daemon's has, is not reached.
//
// The error joins those of KILL, an [*Error] for each process that is not to be
// killed, and the context's cause if ctx has ended before them. The process has
// ended already: [os.ErrProcessDone]. It is init, this program, or an ancestor of it:
// [reactor.ErrInvalidPID].
func (p Process) KillTree(ctx context.Context) ([]Gone, error) {
	tree, err := p.freeze()
	if err != nil {
		return nil, &Error{p.pid, "kill the tree of", err}
	}
	var errs []error
	for _, q := range tree {
		if err := q.Kill(); !errors.Is(err, os.ErrProcessDone) {
			errs = append(errs, err)
		}
	}
	gone, alive, err := WaitMany(ctx, tree, nil)
	if err == nil && len(alive) > 0 {
		err = context.Cause(ctx)
	}
	return gone, errors.Join(append(errs, err)...)
}
