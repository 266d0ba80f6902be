package runtime

import (
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime/internal/cgroup"
	"github.com/stint-go/stint/runtime/internal/guard"
	"github.com/stint-go/stint/runtime/internal/mark"
)

const (
	// clearLimit is how long what a process has left may take to go, until whoever
	// waits for that is told that it is over. It is killed again and again, with pauses
	// that double from the first to the last, until it goes.
	clearLimit = 5 * time.Second
	firstPause = 200 * time.Microsecond
	lastPause  = time.Second

	// closeLimit is how long close tries to end what is left, all of it together.
	closeLimit = 5 * time.Second

	// reapPause is the least time between two looks for what this program has adopted.
	reapPause = 20 * time.Millisecond
)

// enclosures are all that a host has, from each worker's start until nothing of
// what the worker had started is left. One goroutine minds them, from the first
// one on until close.
type enclosures struct {
	logger  *slog.Logger
	reactor *reactor.Reactor
	guarded bool
	wanted  Containment
	decide  func() // once
	begin   func() // once

	// Written by decide.
	inForce Containment
	why     error        // why not a better one
	hosts   *cgroup.Host // of ContainCgroup
	own     mark.Mark    // 0: nothing is marked
	table   *mark.Table  // nil: nothing is marked
	adopts  bool         // orphans become children of this program

	bounds bounds

	// Written by begin.
	sentry *sentry
	toll   *cgroup.Toll // nil: there is none
	begun  bool

	weighAt time.Time // when memory is to be looked at again; the goroutine's

	wake  chan struct{} // capacity 1: there is something to do
	ended chan struct{} // closed when the goroutine has

	mu      sync.Mutex
	all     map[*enclosure]struct{} // that are not gone
	closing bool
}

func newEnclosures(wanted Containment, limiter Limiter, guarded bool, r *reactor.Reactor, logger *slog.Logger) (*enclosures, error) {
	e := &enclosures{
		logger: logger, reactor: r, guarded: guarded, wanted: wanted, bounds: newBounds(limiter),
		wake: make(chan struct{}, 1), ended: make(chan struct{}), all: map[*enclosure]struct{}{},
	}
	e.decide, e.begin = sync.OnceFunc(e.choose), sync.OnceFunc(e.open)
	if wanted == ContainAuto || wanted == ContainGroup {
		return e, nil
	}
	if e.decide(); e.inForce != wanted {
		return nil, errors.Join(e.why, e.close())
	}
	return e, nil
}

// open begins to mind enclosures, before there is the first.
func (e *enclosures) open() {
	if e.guarded {
		duty := guard.Duty{Host: os.Getpid(), Mark: e.own}
		if e.hosts != nil {
			duty.Cgroup = e.hosts.Path()
		}
		e.sentry = &sentry{duty: duty, reactor: e.reactor, logger: e.logger, wake: e.stir, gone: make(chan struct{})}
		e.sentry.post()
	}
	e.toll = cgroup.OpenToll(e.hosts)
	e.begun = true
	go e.mind() // close waits for it
}

// enclose is the actors' Config.Enclose.
func (e *enclosures) enclose(limits actors.Limits) (actors.Enclosure, error) {
	if e.decide(); e.inForce == ContainGroup && limits.Memory == 0 && limits.Processes == 0 {
		return nil, nil
	}
	e.begin()
	n := &enclosure{of: e, toll: e.toll.Count()}
	if e.table != nil {
		var err error
		if n.mark, err = mark.Take(); err != nil && e.hosts == nil {
			e.logger.Warn("stint: a worker is contained by its process group alone", "err", err)
		}
	}
	if e.hosts != nil {
		var err error
		if n.group, err = e.hosts.New(); err != nil {
			n.drop()
			return nil, err
		}
	}
	if err := e.bind(n, limits); err != nil {
		n.drop()
		return nil, err
	}
	if n.group == nil && n.mark == 0 && len(n.bounds) == 0 {
		return nil, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all[n] = struct{}{}
	return n, nil
}

// drop removes what an enclosure has that was never used. What cannot be removed is
// removed with the host's group.
func (n *enclosure) drop() {
	if n.mark != 0 {
		n.mark.Release()
	}
	for _, g := range append(n.bounds, n.group) {
		if g != nil && g.Remove() != nil {
			g.Abandon()
		}
	}
}

// stir has the goroutine look.
func (e *enclosures) stir() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// mind is the goroutine.
func (e *enclosures) mind() {
	defer close(e.ended)
	deaths := make(chan os.Signal, 1)
	if e.adopts {
		signal.Notify(deaths, syscall.SIGCHLD)
		defer signal.Stop(deaths)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	var reaped time.Time // when adopted ones were last looked for
	orphans := false
	for {
		select {
		case <-e.wake:
		case <-timer.C:
		case <-deaths:
			orphans = true
		}
		if e.isClosing() {
			return
		}
		next := e.sentry.keep()
		if orphans {
			if wait := reapPause - time.Since(reaped); wait > 0 {
				next = sooner(next, wait)
			} else {
				orphans, reaped = false, time.Now()
				e.reapOrphans()
			}
		}
		next = sooner(next, e.weigh())
		next = sooner(next, e.heed())
		next = sooner(next, e.look(e.fallen()))
		timer.Stop()
		if next > 0 {
			timer.Reset(next)
		}
	}
}

// sooner returns the shorter of two times, of which 0 is never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func (e *enclosures) isClosing() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closing
}

// fallen returns the enclosures of which the processes are to end.
func (e *enclosures) fallen() (fallen []*enclosure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for n := range e.all {
		if n.fallen {
			fallen = append(fallen, n)
		}
	}
	return fallen
}

// look kills what is left of fallen enclosures whose time it is, and returns when to
// look again; 0: not before something happens.
func (e *enclosures) look(fallen []*enclosure) (next time.Duration) {
	marks := map[mark.Mark]*enclosure{}
	due := fallen[:0]
	for _, n := range fallen {
		if wait := time.Until(n.due); wait > 0 {
			next = sooner(next, wait)
			continue
		}
		due = append(due, n)
		if n.begin() {
			marks[n.mark] = n
		}
	}
	var err error
	if len(marks) > 0 {
		err = e.table.Each(func(pid int, m mark.Mark) {
			top, _ := e.own.Toward(m)
			if n := marks[top]; n != nil {
				n.find(pid, m)
			}
		})
	}
	for _, n := range due {
		next = sooner(next, n.end(err))
	}
	return next
}
