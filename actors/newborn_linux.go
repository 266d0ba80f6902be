//go:build linux && (amd64 || arm64)

package actors

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/actors/internal/fork"
	"github.com/stint-go/stint/reactor"
)

// newborn is a process that was started a moment ago, and may not execute its program
// yet. Nobody has reaped it.
type newborn struct {
	*fork.Child
}

// start starts a process in its place.
func (c *Command) start(place Place) (newborn, error) {
	p, done, err := c.birth(place)
	defer done()
	if err != nil {
		return newborn{}, err
	}
	child, err := p.Start(place.Group)
	runtime.KeepAlive(c.Files) // their descriptors are the child's own now
	if err != nil {
		return newborn{}, c.failed(err)
	}
	return newborn{child}, nil
}

func (b newborn) pid() int { return b.PID() }

// executes waits for the child to execute its program, or to fail at that; false: it
// has done neither within the limit.
func (b newborn) executes(limit time.Duration) bool { return b.Left(limit) }

// err returns why it does not execute its program. Then it is gone.
func (b newborn) err() error {
	err := b.Err()
	if err != nil { // it exits by itself, and is nobody's to kill once the system has reaped it (SIGCHLD ignored)
		b.bury()
	}
	return err
}

// kill kills it and its group. Its ids are its own until it is reaped.
func (b newborn) kill() {
	_ = unix.Kill(-b.PID(), unix.SIGKILL)
	_ = unix.Kill(b.PID(), unix.SIGKILL)
}

// end kills and buries it.
func (b newborn) end() {
	b.kill()
	b.bury()
}

// bury reaps it and closes its descriptor.
func (b newborn) bury() {
	b.reap()
	if b.Pidfd() >= 0 {
		_ = unix.Close(b.Pidfd())
	}
}

// reap takes the status, which does not matter, of one that was killed or has exited.
func (b newborn) reap() {
	for {
		_, err := unix.Wait4(b.PID(), nil, unix.WALL, nil)
		if err != unix.EINTR {
			return // also if somebody has reaped it, such as the system (SIGCHLD ignored)
		}
	}
}

func (b newborn) watch(r *reactor.Reactor, deliver func(reactor.Exit)) (*reactor.Watch, error) {
	w, err := r.WatchChild(b.PID(), b.Pidfd(), func(e reactor.Exit) {
		runtime.KeepAlive(b) // it may not have left this program's memory yet
		deliver(e)
	}, reactor.WithStartGroup())
	if err != nil {
		b.kill()
		b.reap()
	}
	return w, err
}
