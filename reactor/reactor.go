package reactor

import (
	"errors"
	"log/slog"
	"math"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Config says how a reactor is made. The zero value is right for most programs.
type Config struct {
	// Backend forces a way of noticing exits. Default: BackendAuto.
	Backend Backend
	// Logger hears, at most once each, that the reactor has to work in a worse
	// way than it should. Default: slog.Default().
	Logger *slog.Logger
	// Faults has the reactor meet with failures of the system, for tests; package
	// pool/pooltest has one. Default: nil, none, which costs nothing.
	Faults Faults
}

// Reactor notices the exits of the processes that it watches and delivers each
// once. Its methods may be called from any goroutine.
type Reactor struct {
	logger  *slog.Logger
	faults  Faults // nil: none
	backend backend
	start   time.Time     // the schedule counts from here
	done    chan struct{} // closed by the loop, last

	closing  sync.Once
	closeErr error

	inForce   atomic.Uint32 // a Backend
	polled    atomic.Int64
	wakeups   atomic.Uint64
	exits     atomic.Uint64
	exhausted sync.Once // guards a log line

	// mu guards the table and the schedule. A watch's lock is never taken while
	// it is held.
	mu        sync.Mutex
	closed    bool
	lastToken uint64
	watches   map[uint64]*Watch
	schedule  schedule
	armed     time.Duration // the back end's deadline; 0: none, disarmed: it has passed
}

// New starts a reactor: one goroutine, which ends with [Reactor.Close].
//
// Make it early: the runtime ends a program that has no descriptors left when Go's
// own network poller has to start. New starts that too, and returns an error when
// there are too few.
//
// The error is a [*BackendError].
func New(cfg Config) (*Reactor, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	b, from, err := wanted(cfg.Backend)
	if err != nil {
		return nil, err
	}
	if err := ensureDescriptors(); err != nil {
		return nil, &BackendError{b.String(), from, err}
	}
	backend, inForce, err := b.openOrBest(cfg.Logger, cfg.Faults)
	if err != nil {
		return nil, &BackendError{b.String(), from, err}
	}
	r := &Reactor{
		logger:  cfg.Logger,
		faults:  cfg.Faults,
		backend: backend,
		start:   time.Now(),
		done:    make(chan struct{}),
		watches: make(map[uint64]*Watch),
	}
	r.inForce.Store(uint32(inForce))
	go r.run()
	return r, nil
}

// Watch watches p, a child that [os.StartProcess] started, and calls deliver
// once when it has exited.
//
// On success the reactor is the one who reaps the child, also after [Watch.Stop]:
// do not call p.Wait. It leaves p as it is and needs it no more, so the caller may
// release it at once, which saves a descriptor; otherwise the garbage collector
// does. But note that [os.Process.Release] sets p.Pid to -1, by which kill(2)
// means every process there is: use [Watch.PID], and [Watch.Signal] instead of
// p.Signal. On error the caller keeps the child too.
//
// The reactor's loop calls deliver, perhaps before Watch returns. It must not
// block, for every other exit waits for it, and must not call [Reactor.Close];
// the other methods it may call.
//
// The error is a [*WatchError]: [ErrClosed], [ErrNilDeliver], [ErrInvalidPID] for
// a p that is nil or was released, [os.ErrProcessDone] for one that was waited
// for, and those of [WithGroup].
func (r *Reactor) Watch(p *os.Process, deliver func(Exit), opts ...Option) (*Watch, error) {
	if p == nil {
		return nil, &WatchError{0, opWatch, ErrInvalidPID}
	}
	return r.watch(process{pid: p.Pid, owned: true, origin: p}, deliver, opts)
}

// WatchPID watches the process pid, a child of this program or not, and calls
// deliver, as [Reactor.Watch] does, once when it has exited.
//
// That the pid names the process that is meant is for the caller to know: for
// certain only while it is his unreaped child. A child is reaped when it exits,
// so WatchPID is not for one that somebody else waits for, such as os/exec; use
// it for adopted ones (PR_SET_CHILD_SUBREAPER). Of other processes the exit code
// is known on Linux from 6.15, on Windows always, else the exit is [Unknown].
//
// The error is a [*WatchError]: as Watch's, with [os.ErrProcessDone] when there
// is no such process.
func (r *Reactor) WatchPID(pid int, deliver func(Exit), opts ...Option) (*Watch, error) {
	return r.watch(process{pid: pid}, deliver, opts)
}

// Observe watches the process pid as [Reactor.WatchPID] does, and never reaps it:
// it is for a process of which somebody else takes the status, a child of this
// program that os/exec waits for among them. A child's exit is delivered when it
// has ended, reaped or not. On systems other than Linux and Windows its status is
// its reaper's alone, and the exit [Unknown] for [ErrObserved].
//
// The error is a [*WatchError]: as WatchPID's.
func (r *Reactor) Observe(pid int, deliver func(Exit)) (*Watch, error) {
	return r.watch(process{pid: pid, observed: true}, deliver, nil)
}

func (r *Reactor) watch(p process, deliver func(Exit), opts []Option) (*Watch, error) {
	pid := p.pid
	w, err := r.newWatch(p, deliver, opts)
	if err == nil {
		err = r.begin(w)
	}
	if err != nil {
		return nil, &WatchError{pid, opWatch, err}
	}
	return w, nil
}

// newWatch checks what a watch is asked for and finds out about its process.
func (r *Reactor) newWatch(p process, deliver func(Exit), opts []Option) (*Watch, error) {
	if p.pid <= 1 || p.pid == os.Getpid() {
		return nil, ErrInvalidPID
	}
	if deliver == nil {
		return nil, ErrNilDeliver
	}
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	p.group, p.left = o.group, o.left
	w := &Watch{
		reactor:  r,
		deliver:  deliver,
		process:  p,
		nextLook: appointment{position: unscheduled},
	}
	return w, w.process.identify()
}

// begin enters w into the table and offers it to the back end, from which moment
// its exit may be delivered. The loop is not woken for it.
func (r *Reactor) begin(w *Watch) error {
	w.mu.Lock() // Close, which drops what it finds in the table, finds w attached
	if !r.enter(w) {
		w.process.release()
		w.mu.Unlock()
		return ErrClosed
	}
	err := w.attach()
	w.process.adopt()
	w.mu.Unlock()
	if err != nil {
		r.note(w, err)
		r.pollLater(w)
	}
	return nil
}

// enter gives w its token and its place in the table, unless it is closed.
func (r *Reactor) enter(w *Watch) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.lastToken++
	w.token = r.lastToken
	r.watches[w.token] = w
	return true
}

// note logs, once each, the refusals that an operator can do something about.
func (r *Reactor) note(w *Watch, err error) {
	switch {
	case errors.Is(err, errBackendOff):
		if r.inForce.Swap(uint32(BackendPoll)) != uint32(BackendPoll) {
			r.logger.Warn("reactor: processes are polled from now on", "err", err)
		}
	case errors.Is(err, errExhausted):
		r.exhausted.Do(func() {
			r.logger.Warn("reactor: a process is polled until descriptors are free; raise RLIMIT_NOFILE", "pid", w.PID(), "err", err)
		})
	}
}

// Stats are a reactor's figures at one moment.
type Stats struct {
	Backend Backend // in force
	Watches int     // processes watched now
	Polled  int     // of these, asked at intervals because the back end did not take them
	Wakeups uint64  // of the loop, since New
	Exits   uint64  // delivered, since New
}

// Stats returns the figures of now.
func (r *Reactor) Stats() Stats {
	r.mu.Lock()
	watches := len(r.watches)
	r.mu.Unlock()
	return Stats{
		Backend: Backend(r.inForce.Load()),
		Watches: watches,
		Polled:  int(r.polled.Load()),
		Wakeups: r.wakeups.Load(),
		Exits:   r.exits.Load(),
	}
}

// Close stops the reactor and returns when its loop is gone, after a deliver
// that is being called. Watches that remain are dropped without a message; their
// processes live on, and nobody reaps them but whoever waits for their pids.
// Further calls return what the first did.
func (r *Reactor) Close() error {
	r.closing.Do(func() {
		r.mu.Lock()
		r.closed = true
		r.mu.Unlock()
		r.closeErr = r.backend.close()
		<-r.done

		r.mu.Lock()
		watches := r.watches
		r.watches = nil
		r.schedule.take(math.MaxInt64, nil)
		r.mu.Unlock()
		for _, w := range watches {
			w.drop(ErrClosed)
		}
	})
	return r.closeErr
}
