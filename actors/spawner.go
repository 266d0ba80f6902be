package actors

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/stint-go/stint/reactor"
)

// spawner starts processes, in the order in which that is asked for, from one thread that lasts as
// long as it does. On Linux the parent-death signal of a child is tied to the
// thread that forked it, not to the process (golang/go#27505): a child that was
// started from any goroutine would be killed when the runtime ends that thread.
type spawner struct {
	reactor *reactor.Reactor
	enclose func(Limits) (Enclosure, error)
	tooLong time.Duration // for a process to execute its program
	done    chan struct{} // closed when run has returned

	*requests
}

func newSpawner(r *reactor.Reactor, enclose func(Limits) (Enclosure, error)) *spawner {
	return &spawner{reactor: r, enclose: enclose, tooLong: tooLong, requests: newRequests(), done: make(chan struct{})}
}

// close returns when the thread is gone. All requests must have been answered.
func (s *spawner) close() {
	s.end()
	<-s.done
}

// mostUnborn is how many processes may be on their way to their programs while the
// next one is started: as many as keep the processors busy.
const mostUnborn = 8

func (s *spawner) run() {
	defer close(s.done)
	runtime.LockOSThread() // and never unlock: the thread ends with this goroutine
	var unborn []*request  // the oldest first
	for {
		r := s.next(len(unborn) == 0)
		switch {
		case r != nil && s.serve(r):
			unborn = append(unborn, r)
		case r == nil && len(unborn) == 0:
			return
		}
		if len(unborn) == mostUnborn || r == nil {
			s.bear(unborn[0])
			unborn = slices.Delete(unborn, 0, 1)
		}
	}
}

// serve starts a process; false: it has failed.
func (s *spawner) serve(r *request) bool {
	if r.process.withdrawn.Load() {
		r.fail(ErrClosed)
		return false
	}
	if err := r.prepare(); err != nil {
		r.fail(err)
		return false
	}
	if err := s.enclosed(r); err != nil {
		r.fail(&StartError{r.command.Path, lasting(err)})
		return false
	}
	var err error
	if r.newborn, err = s.start(r); err != nil {
		r.fail(&StartError{r.command.Path, err})
		return false
	}
	r.clonedAt = time.Now()
	return true
}

// start starts a process, unless the reactor is to meet with a failure of that.
func (s *spawner) start(r *request) (newborn, error) {
	if err := s.reactor.Fault("clone"); err != nil {
		return newborn{}, r.command.failed(err)
	}
	return r.command.start(r.place)
}

// A program is executed within some hundred microseconds. Where the file system or
// the machine takes longer, or somebody has stopped the process, the spawner goes on
// with others and looks for it now and then: to be told of it would cost a thread.
// What takes very long counts as started, so that it can be stopped like any process;
// if it fails then, it exits with code 127, as it does in a shell.
const (
	promptly  = 10 * time.Millisecond
	firstLook = time.Millisecond
	lastLook  = 128 * time.Millisecond
	tooLong   = 10 * time.Second
)

// bear waits for a process to execute its program, but not long.
func (s *spawner) bear(r *request) {
	if r.newborn.executes(promptly) {
		s.born(r)
	} else {
		s.look(r, doubling(firstLook, lastLook))
	}
}

// look looks after a pause whether a process executes its program.
func (s *spawner) look(r *request, pauses *backoff.ExponentialBackOff) {
	time.AfterFunc(pauses.NextBackOff(), func() {
		if r.newborn.executes(0) || time.Since(r.clonedAt) > s.tooLong {
			s.born(r) // what runs is stopped as any process is, with its grace
			return
		}
		if r.process.withdrawn.Load() {
			r.newborn.kill()
		}
		s.look(r, pauses)
	})
}

// born goes on with a process that executes its program, or cannot.
func (s *spawner) born(r *request) {
	err := r.newborn.err()
	if errors.Is(err, syscall.ETXTBSY) && s.later(r) {
		return
	}
	r.command.closeFiles()
	if err != nil {
		r.fail(&StartError{r.command.Path, lasting(err)})
		return
	}
	s.hand(r)
}

// enclosed gives the request its enclosure, unless it has one from an earlier try, and
// leaves the process those of its limits that this does not hold it to.
func (s *spawner) enclosed(r *request) (err error) {
	if r.enclosure != nil {
		return nil
	}
	c := &r.command
	if err := c.Limits.Check(); err != nil {
		return Permanent(err)
	}
	if err := c.unsupported(); err != nil {
		return err
	}
	if c.Enclosed && s.enclose != nil {
		r.enclosure, err = s.enclose(c.Limits)
	}
	if r.enclosure == nil {
		r.enclosure = open{}
	}
	r.place = r.enclosure.Place(c.Limits)
	c.Limits = r.place.Limits
	if err == nil && c.Limits.Memory > 0 {
		err = &LimitError{"Memory", c.Limits.Memory, fmt.Errorf("nothing here holds a process and what it starts to it: %w", errors.ErrUnsupported)}
	}
	return err
}

// hand gives the process that was started to its enclosure, to the reactor, which
// may reap it at once, and to its actor.
func (s *spawner) hand(r *request) {
	at, self := time.Now(), r.process.self
	if err := r.enclosure.Started(r.newborn.pid()); err != nil {
		r.newborn.end()
		r.fail(&StartError{r.command.Path, err})
		return
	}
	w, err := r.newborn.watch(s.reactor, r.process.exitSeen)
	if err != nil {
		r.fail(&StartError{r.command.Path, err})
		return
	}
	self.send(started{owner: r.owner, watch: w, at: at, enclosure: r.enclosure})
}

var errNoOwner = errors.New("actors: Prepare returned neither an owner nor an error")

func (r *request) prepare() error {
	if r.source == nil {
		return nil
	}
	var command Command
	var owner Owner
	var err error
	orCrash("Prepare", func() { command, owner, err = r.source() })
	r.source = nil
	switch {
	case err != nil:
		return err
	case owner == nil:
		return errNoOwner
	}
	r.command, r.owner = command, owner
	return nil
}

// fail releases what was prepared, as far as it is the spawner's to release.
func (r *request) fail(err error) {
	r.command.closeFiles()
	if r.enclosure != nil {
		r.enclosure.Ended(abandoned)
	}
	r.process.self.send(startFailed{owner: r.owner, err: err})
}

// A program file that was written a moment ago cannot be executed as long as any
// process has it open for writing, and that may be a child between fork and exec,
// here or in another program (golang/go#22315). So it is tried again.
const (
	firstBusy = time.Millisecond
	lastBusy  = 128 * time.Millisecond
	busyLimit = time.Second // in all
)

// later puts the request back into the queue after a delay, in which others are
// served. It reports false when that was done for long enough.
func (s *spawner) later(r *request) bool {
	if r.waited >= busyLimit {
		return false
	}
	if r.busy == nil {
		r.busy = doubling(firstBusy, lastBusy)
	}
	d := r.busy.NextBackOff()
	r.waited += d
	time.AfterFunc(d, func() { s.enqueue(r) })
	return true
}
