package process

import "os"

// Children returns the processes of which p is the parent, also those that it has
// adopted and those that it has still to reap. It reads about all processes of the
// system, some 10 µs each.
//
// The error is an [*Error]: as Info's.
func (p Process) Children() ([]Process, error) {
	tree, err := p.tree()
	if err != nil {
		return nil, &Error{p.pid, "find the children of", err}
	}
	var children []Process
	for _, r := range tree {
		if r.stat.parent == p.pid {
			children = append(children, r.Process)
		}
	}
	return children, nil
}

// Descendants returns the children of p, their children, and so on, each after
// its parent. Those whose parent has ended are somebody else's children. Cost and
// error are those of Children.
func (p Process) Descendants() ([]Process, error) {
	tree, err := p.tree()
	if err != nil {
		return nil, &Error{p.pid, "find the descendants of", err}
	}
	var descendants []Process
	for _, r := range tree[1:] {
		descendants = append(descendants, r.Process)
	}
	return descendants, nil
}

// tree returns p and all below it.
func (p Process) tree() ([]relative, error) {
	all, err := scan()
	if err != nil {
		return nil, err
	}
	if tree := all.tree(p); tree != nil {
		return tree, nil
	}
	if err := p.named(); err != nil {
		return nil, err
	}
	return nil, os.ErrProcessDone
}
