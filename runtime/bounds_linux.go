package runtime

import (
	"fmt"
	"sync"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/runtime/internal/cgroup"
)

// bounds are the control groups that hold what workers start to their Limits, where there
// are such. What there is, is found out when it is first needed.
type bounds struct {
	wanted    Limiter
	memory    bound
	processes bound
	overflows overflows
}

// bound is one controller as a host has it.
type bound struct {
	controller cgroup.Controller
	find       sync.Once

	// Written by find.
	hosts *cgroup.Host // whose groups have it: that of version 2, or one of its own of version 1; nil: there is none
	own   bool         // of version 1
	err   error        // why there is none
}

func newBounds(wanted Limiter) bounds {
	return bounds{wanted: wanted, memory: bound{controller: cgroup.Memory}, processes: bound{controller: cgroup.Pids}}
}

// open finds the controller, below the host's group of version 2 if it has one; else err
// says why not, or is nil.
func (b *bound) open(unified *cgroup.Host, err error) {
	if unified != nil {
		if err = unified.Enable(b.controller); err == nil {
			b.hosts = unified
			return
		}
	}
	if b.hosts, b.err = cgroup.OpenController(b.controller); b.err == nil {
		b.own = true
	} else if err != nil {
		b.err = fmt.Errorf("%w; %w", err, b.err)
	}
}

// limiter returns how Limits.Memory is held.
func (e *enclosures) limiter() (Limiter, error) {
	e.decide()
	b := e.openBound(&e.bounds.memory)
	switch {
	case b.hosts != nil:
		return LimitCgroup, nil
	case e.bounds.wanted == LimitCgroup || e.inForce == ContainGroup:
		return LimitAuto, b.err
	}
	return LimitWatch, b.err
}

var errWatch = fmt.Errorf("%v is asked for", LimitWatch)

func (e *enclosures) openBound(b *bound) *bound {
	b.find.Do(func() {
		if e.bounds.wanted == LimitWatch {
			b.err = errWatch
			return
		}
		b.open(e.hosts, e.why)
	})
	return b
}

// group returns the enclosure's group that has the controller: its own of version 2, or
// a new one; nil: there is none, and why.
func (b *bound) group(n *enclosure) (*cgroup.Group, error) {
	if b.hosts == nil || !b.own {
		return n.group, b.err
	}
	g, err := b.hosts.New()
	if err == nil {
		n.bounds = append(n.bounds, g)
	}
	return g, err
}

// bind holds an enclosure to limits. One that cannot be had is an error, but for
// Processes, which is left to the process then.
func (e *enclosures) bind(n *enclosure, l actors.Limits) error {
	if l.Memory > 0 {
		if err := e.bindMemory(n, l.Memory); err != nil {
			return &actors.LimitError{Limit: "Memory", Value: l.Memory, Err: err}
		}
	}
	if l.Processes > 0 {
		if err := e.bindProcesses(n, l.Processes); err != nil {
			return &actors.LimitError{Limit: "Processes", Value: l.Processes, Err: err}
		}
	}
	return nil
}

func (e *enclosures) bindMemory(n *enclosure, limit int64) error {
	b := e.openBound(&e.bounds.memory)
	n.limit = limit
	if b.hosts == nil {
		switch {
		case e.bounds.wanted == LimitCgroup:
			return b.err
		case n.group == nil && n.mark == 0:
			return fmt.Errorf("%w; nor can it be watched, since what a process has started is not known under containment %v", b.err, e.inForce)
		}
		n.watched = true
		return nil
	}
	g, err := b.group(n)
	if err == nil {
		err = g.LimitMemory(limit)
	}
	if err == nil && b.own {
		err = e.bounds.overflows.listen(g, e.stir)
	}
	n.memory = g
	return err
}

func (e *enclosures) bindProcesses(n *enclosure, limit int64) error {
	b := e.openBound(&e.bounds.processes)
	if b.hosts == nil {
		if e.bounds.wanted == LimitCgroup {
			return b.err
		}
		return nil
	}
	g, err := b.group(n)
	if err == nil {
		err = g.LimitProcesses(limit)
	}
	n.counted = true
	return err
}

// close removes the groups of version 1.
func (b *bounds) close() (left []string) {
	b.overflows.close()
	for _, one := range []*bound{&b.memory, &b.processes} {
		if one.own {
			if err := one.hosts.Close(); err != nil {
				left = append(left, one.hosts.Path())
			}
		}
	}
	return left
}
