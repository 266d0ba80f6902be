package actors

import (
	"errors"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/stint-go/stint/reactor"
)

// spawner starts processes, one after the other, from one thread that lasts as
// long as it does. On Linux the parent-death signal of a child is tied to the
// thread that forked it, not to the process (golang/go#27505): a child that was
// started from any goroutine would be killed when the runtime ends that thread.
type spawner struct {
	reactor *reactor.Reactor
	enclose func() (Enclosure, error)
	bound   *boundSpawners // for what this one cannot start; nil: it is one of them
	bind    func() error   // has the thread give up privileges; nil: it keeps them
	done    chan struct{}  // closed when run has returned

	*requests
	descriptors *descriptorList // of a thread that gave privileges up; else nil
}

func newSpawner(r *reactor.Reactor, enclose func() (Enclosure, error)) *spawner {
	return &spawner{reactor: r, enclose: enclose, requests: newRequests(), done: make(chan struct{})}
}

// close returns when the thread is gone. All requests must have been answered.
func (s *spawner) close() {
	s.end()
	<-s.done
}

func (s *spawner) run() {
	defer close(s.done)
	runtime.LockOSThread() // and never unlock: the thread ends with this goroutine
	err := s.giveUp()
	for r := s.next(); r != nil; r = s.next() {
		if err != nil {
			r.fail(&StartError{r.command.Path, lasting(err)})
			continue
		}
		s.serve(r)
	}
	s.descriptors.close()
}

// giveUp has the thread give up privileges, if it is to. Which descriptors are open it
// may not be able to look up any more then.
func (s *spawner) giveUp() (err error) {
	if s.bind == nil {
		return nil
	}
	if s.descriptors, err = openDescriptorList(); err != nil {
		return err
	}
	return s.bind()
}

func (s *spawner) serve(r *request) {
	if r.process.withdrawn.Load() {
		r.fail(ErrClosed)
		return
	}
	if err := r.prepare(); err != nil {
		r.fail(err)
		return
	}
	if err := s.enclosed(r); err != nil {
		r.fail(&StartError{r.command.Path, err})
		return
	}
	if s.bound != nil && r.command.Privileges.bound() {
		s.bound.enqueue(r)
		return
	}
	r.command.descriptors = s.descriptors
	p, err := s.start(r)
	if errors.Is(err, syscall.ETXTBSY) && s.later(r) {
		return
	}
	r.command.closeFiles()
	if err != nil {
		r.fail(&StartError{r.command.Path, err})
		return
	}
	s.hand(r, p)
}

// start starts a process, unless the reactor is to meet with a failure of that.
func (s *spawner) start(r *request) (*os.Process, error) {
	if err := s.reactor.Fault("clone"); err != nil {
		return nil, &os.PathError{Op: "fork/exec", Path: r.command.Path, Err: err}
	}
	return r.command.start(r.enclosure.Descriptor())
}

// enclosed gives the request its enclosure, unless it has one: a spawner that has
// given up privileges might not be able to make it.
func (s *spawner) enclosed(r *request) (err error) {
	if r.enclosure != nil {
		return nil
	}
	if r.command.Enclosed && s.enclose != nil {
		r.enclosure, err = s.enclose()
	}
	if r.enclosure == nil {
		r.enclosure = open{}
	}
	return err
}

// hand gives the process that was started to its enclosure, to the reactor, which
// may reap it at once, and to its actor.
func (s *spawner) hand(r *request, p *os.Process) {
	at, self := time.Now(), r.process.self
	err := r.enclosure.Started(p.Pid)
	var w *reactor.Watch
	if err == nil {
		w, err = s.reactor.Watch(p, r.process.exitSeen, watchOptions()...)
	}
	if err != nil {
		killStarted(p)
		_, _ = p.Wait() // soon: it was killed. Its status does not matter.
		r.fail(&StartError{r.command.Path, err})
		return
	}
	_ = p.Release() // its descriptor: the watch has its own
	self.send(started{owner: r.owner, watch: w, at: at, enclosure: r.enclosure, release: r.release})
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
	if r.release != nil {
		r.release()
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
