package runtime

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/runtime/internal/mark"
)

// Where no control group holds processes to Limits.Memory what they have is looked at
// each weighEvery, or less often if that would take more than a weighShare-th of a
// processor. This is the one thing that the system cannot tell.
const (
	weighEvery = 100 * time.Millisecond
	weighShare = 20
)

// live returns the enclosures whose process runs, as far as is known, and is not to end.
func (e *enclosures) live() (live []*enclosure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for n := range e.all {
		if n.process != nil && !n.fallen {
			live = append(live, n)
		}
	}
	return live
}

// weigh looks at the memory of those that are watched, if it is time to, and ends what
// has too much. It returns when to look again; 0: there is nothing to watch.
func (e *enclosures) weigh() time.Duration {
	watched := slices.DeleteFunc(e.live(), func(n *enclosure) bool { return !n.watched })
	if len(watched) == 0 {
		return 0
	}
	if wait := time.Until(e.weighAt); wait > 0 {
		return wait
	}
	began := time.Now()
	for n, has := range e.resident(watched) {
		if has > n.limit {
			n.overflow(has, 0)
		}
	}
	wait := max(weighEvery, weighShare*time.Since(began))
	e.weighAt = began.Add(wait)
	return wait
}

// resident returns what each enclosure has resident. What cannot be read has ended, or
// is counted at the next look.
func (e *enclosures) resident(all []*enclosure) map[*enclosure]int64 {
	has := make(map[*enclosure]int64, len(all))
	marks := make(map[mark.Mark]*enclosure)
	for _, n := range all {
		if n.group == nil {
			marks[n.mark] = n
			continue
		}
		pids, _ := n.group.Members()
		for _, pid := range pids {
			has[n] += residentSet(pid)
		}
	}
	if len(marks) > 0 {
		_ = e.table.Each(func(pid int, m mark.Mark) {
			top, _ := e.own.Toward(m)
			if n := marks[top]; n != nil {
				has[n] += residentSet(pid)
			}
		})
	}
	return has
}

// residentSet returns how many bytes a process has resident; 0: it has ended.
func residentSet(pid int) int64 {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm")) // total, resident, … in pages
	fields := bytes.Fields(line)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

// overflow ends a process, and all that it has started, since that has more memory than
// it may: used, in bytes, for which the kernel has killed so many already.
func (n *enclosure) overflow(used, killed int64) {
	n.process.Kill(actors.Ladder{}, n.excess(used, killed))
	n.of.mu.Lock()
	n.fall()
	n.of.mu.Unlock()
}

func (n *enclosure) excess(used, killed int64) actors.Cause {
	return actors.Cause{Kind: actors.CauseMemory, Err: &actors.MemoryError{PID: n.process.PID(), Limit: n.limit, Used: used, Killed: killed}}
}

// peak returns the most that a group had.
func (n *enclosure) peak() int64 {
	if peak, err := n.memory.Peak(); err == nil {
		return peak
	}
	return n.limit
}

// Killed implements actors.Enclosure.
func (n *enclosure) Killed() actors.Cause {
	pid := n.process.PID()
	if n.memory != nil {
		killed, overflow, err := n.memory.Killed()
		switch {
		case err != nil || killed == 0:
			return actors.Cause{}
		case overflow:
			return n.excess(n.peak(), killed)
		}
		return actors.Cause{Err: &actors.OutOfMemoryError{PID: pid, Source: n.memory.EventsFile(), Killed: killed}}
	}
	if by := n.of.toll.Count() - n.toll; by > 0 {
		return actors.Cause{Err: &actors.OutOfMemoryError{PID: pid, Source: n.of.toll.Source(), Killed: by}}
	}
	return actors.Cause{}
}
