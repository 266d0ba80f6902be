package runtime

import (
	"os"

	"github.com/stint-go/stint/reactor"
)

// Parent is the process that had started this program.
type Parent struct {
	pid  int
	done chan struct{}
}

// PID returns the parent's process id. Another process may have it once Done is
// closed. 0 is a parent outside this pid namespace.
func (p *Parent) PID() int { return p.pid }

// Done returns a channel that is closed when the parent has ended: this program
// is somebody else's child then, or nobody's.
func (p *Parent) Done() <-chan struct{} { return p.done }

// Parent returns this program's parent as of the first call, and watches it until
// the host is closed. A program whose parent had ended before is told of the one
// that has adopted it: call Parent early. A parent that is init (1), or outside this
// pid namespace, is taken to live for ever. The error is a *reactor.WatchError.
func (h *Host) Parent() (*Parent, error) { return h.parent() }

// watchParent begins to watch the parent. It was the parent when the watch had
// begun if it is still the parent afterwards.
func (h *Host) watchParent() (*Parent, error) {
	p := &Parent{pid: os.Getppid(), done: make(chan struct{})}
	if p.pid <= 1 {
		return p, nil
	}
	watch, err := h.reactor.Observe(p.pid, func(reactor.Exit) { close(p.done) })
	switch {
	case os.Getppid() != p.pid:
		if err != nil || watch.Stop() {
			close(p.done)
		}
	case err != nil:
		return nil, err
	}
	return p, nil
}
