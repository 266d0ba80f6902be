package process

import "github.com/stint-go/stint/runtime/internal/proctree"

// Children returns the processes of which p is the parent, also those that it has
// adopted and those that it has still to reap. It costs some 20 µs for each of them,
// and for each thread of p.
//
// The error is an [*Error]: as Info's.
func (p Process) Children() ([]Process, error) {
	return p.relatives("find the children of", proctree.Children)
}

// Descendants returns the children of p, their children, and so on, each after
// its parent. Those whose parent has ended are somebody else's children. Cost and
// error are those of Children, for the whole tree.
func (p Process) Descendants() ([]Process, error) {
	return p.relatives("find the descendants of", proctree.Below)
}

func (p Process) relatives(op string, of func(proctree.Process) ([]proctree.Relative, error)) ([]Process, error) {
	err := p.named()
	var found []proctree.Relative
	if err == nil {
		found, err = of(proctree.Process{PID: p.pid, Start: p.start})
	}
	if err != nil {
		return nil, &Error{p.pid, op, err}
	}
	relatives := make([]Process, len(found))
	for i, r := range found {
		relatives[i] = Process{r.PID, r.Start}
	}
	return relatives, nil
}
