package process

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime"
)

// Gone is a process that has ended.
type Gone struct {
	Process
	// Exit tells how, as far as the system tells it to who is not its parent: see
	// package reactor. It is Unknown, with os.ErrProcessDone, for one that had
	// ended before anybody waited for it.
	Exit reactor.Exit
}

// Wait waits until the process has ended, or until ctx ends. It takes no status
// away from whoever else waits for the process.
//
// The error is an [*Error] with the context's cause, or a [*runtime.StartError].
func (p Process) Wait(ctx context.Context) (reactor.Exit, error) {
	gone, _, err := WaitMany(ctx, []Process{p}, nil)
	switch {
	case err != nil:
		return reactor.Exit{}, err
	case len(gone) == 0:
		return reactor.Exit{}, &Error{p.pid, "wait for", context.Cause(ctx)}
	}
	return gone[0].Exit, nil
}

// WaitMany waits until all of ps have ended, or until ctx ends, and returns those
// that are gone, in the order of their exits, and those that live, in the order
// of ps. That ctx has ended is no error; with one that has ended before, WaitMany
// is a look at what is gone, and does not wait. A process that ps names twice
// counts once.
//
// tell, which may be nil, is called once for each process that is gone, when it
// is: one call at a time, on the caller's goroutine. It may take its time.
//
// WaitMany needs neither a thread nor a goroutine for each process, does not
// poll, and takes no status away from whoever else waits for a child. It uses the
// program's shared host.
//
// The error is an [*Error] of a process that cannot be watched, or a
// [*runtime.StartError].
func WaitMany(ctx context.Context, ps []Process, tell func(Gone)) (gone []Gone, alive []Process, err error) {
	host, release, err := runtime.Share()
	if err != nil {
		return nil, ps, err
	}
	w := &waiting{
		reactor: host.Reactor(),
		tell:    tell,
		watches: make(map[Process]*reactor.Watch, len(ps)),
		exits:   make(chan Gone, len(ps)),
	}
	defer func() {
		alive = w.stop(ps)
		err = errors.Join(err, release())
	}()
	for _, p := range ps {
		if err := w.add(p); err != nil {
			return w.gone, nil, &Error{p.pid, "wait for", err}
		}
	}
	w.wait(ctx)
	return w.gone, nil, nil
}

// waiting is one call of WaitMany.
type waiting struct {
	reactor *reactor.Reactor
	tell    func(Gone)
	gone    []Gone
	watches map[Process]*reactor.Watch // nil: gone
	live    int                        // those that are not
	exits   chan Gone                  // has room for all
}

func (w *waiting) add(p Process) error {
	if _, twice := w.watches[p]; twice {
		return nil
	}
	watch, err := w.watch(p)
	w.watches[p] = watch
	switch {
	case err == nil:
		w.live++
	case errors.Is(err, os.ErrProcessDone):
		w.note(lost(p))
	default:
		return err
	}
	return nil
}

// watch begins to watch p. The pid was p's before and after that, so the watch is
// of p.
func (w *waiting) watch(p Process) (*reactor.Watch, error) {
	if err := p.named(); err != nil {
		return nil, err
	}
	watch, err := w.reactor.Observe(p.pid, func(e reactor.Exit) { w.exits <- Gone{p, e} })
	if err != nil {
		return nil, err
	}
	if errors.Is(p.named(), ErrReused) {
		watch.Stop()
		return nil, ErrReused
	}
	return watch, nil
}

func (w *waiting) wait(ctx context.Context) {
	for w.live > 0 {
		select {
		case g := <-w.exits:
			w.take(g)
		case <-ctx.Done():
			w.hurry()
			return
		}
	}
}

// lastWord is how long the status of a process that has ended may come after the
// end of the wait: the reactor gives a parent 250 ms to reap.
const lastWord = 300 * time.Millisecond

// hurry takes what has ended by now.
func (w *waiting) hurry() {
	var ended []Process
	for p, watch := range w.watches {
		if watch != nil && !p.Running() {
			ended = append(ended, p)
		}
	}
	patience, stop := context.WithTimeout(context.Background(), lastWord)
	defer stop()
	for _, p := range ended {
		for w.watches[p] != nil {
			select {
			case g := <-w.exits:
				w.take(g)
			case <-patience.Done():
				w.take(lost(p))
			}
		}
	}
}

// take takes an exit in, unless it is of a watch that was given up.
func (w *waiting) take(g Gone) {
	if w.watches[g.Process] == nil {
		return
	}
	w.watches[g.Process] = nil
	w.live--
	w.note(g)
}

func (w *waiting) note(g Gone) {
	w.gone = append(w.gone, g)
	if w.tell != nil {
		w.tell(g)
	}
}

// stop lets go of those of ps that live, and returns them.
func (w *waiting) stop(ps []Process) (alive []Process) {
	for _, p := range ps {
		if watch := w.watches[p]; watch != nil {
			watch.Stop()
			w.watches[p] = nil
			alive = append(alive, p)
		}
	}
	return alive
}

// lost is the end of a process of which nothing more is known.
func lost(p Process) Gone {
	return Gone{p, reactor.Exit{PID: p.pid, Time: time.Now(), Err: os.ErrProcessDone}}
}
