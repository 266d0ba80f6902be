package reactor

import "golang.org/x/sys/unix"

// WatchChild is [Reactor.Watch] for a child that was not started by the os package:
// pid is its id, and pidfd the descriptor that clone(2) gave with it (CLONE_PIDFD), or
// -1. Nobody has reaped the child. The reactor takes the descriptor and closes it, also
// when it fails. Linux only.
//
// The error is a [*WatchError]: [ErrClosed], [ErrNilDeliver], [ErrInvalidPID], and
// those of [WithGroup].
func (r *Reactor) WatchChild(pid, pidfd int, deliver func(Exit), opts ...Option) (*Watch, error) {
	w, err := r.newWatch(process{pid: pid, owned: true, handle: handle{born: pidfd}}, deliver, opts)
	if err == nil {
		err = r.begin(w)
	} else if pidfd >= 0 {
		_ = unix.Close(pidfd)
	}
	if err != nil {
		return nil, &WatchError{pid, opWatch, err}
	}
	return w, nil
}
