package pool

import (
	"cmp"
	"slices"
	"time"
)

// Insights tell where a pool's workers spend their time; see Pool.Insights.
type Insights struct {
	Workers []WorkerInsight // those that there are, by their numbers
	Ended   WorkerInsight   // the sum of all that have ended; Worker and PID are 0
	Longest []Run           // up to five attempts that are over, the longest first
}

// WorkerInsight tells what a worker did since it was started. The times are those
// of the phases that it is in or was in; they leave out what lies between the
// order to end a worker by force and its end.
type WorkerInsight struct {
	Worker, PID int
	Tasks       uint64        // attempts that are over; items of a map that travel together are one
	Starting    time.Duration // until it was ready, its initializer included
	Waiting     time.Duration // ready, and without a task
	Working     time.Duration // in tasks, the one that runs included
	Exiting     time.Duration // since it was asked to leave, its finalizer included
}

// longestKept is how many runs Insights.Longest has at most.
const longestKept = 5

// insights are kept by a pool, under its lock. A task costs two additions and a
// comparison.
type insights struct {
	alive   map[*tally]struct{}
	ended   WorkerInsight
	longest []Run
}

// tally is one worker's account.
type tally struct {
	worker, pid             int
	started, ready, leaving time.Time // zero: not yet
	tasks                   uint64
	working                 time.Duration
}

// begin opens the account of a worker that was started.
func (i *insights) begin(of WorkerEvent) *tally {
	t := &tally{worker: of.Worker, pid: of.PID, started: of.Time}
	if i.alive == nil {
		i.alive = make(map[*tally]struct{})
	}
	i.alive[t] = struct{}{}
	return t
}

// note adds an attempt. It reports whether that is one of the longest: then rank
// must be told of it.
func (i *insights) note(t *tally, elapsed time.Duration) (long bool) {
	t.tasks++
	t.working += elapsed
	return len(i.longest) < longestKept || elapsed > i.longest[longestKept-1].Elapsed
}

// rank takes a run in among the longest.
func (i *insights) rank(run Run) {
	i.longest = append(i.longest, run)
	slices.SortStableFunc(i.longest, func(a, b Run) int { return cmp.Compare(b.Elapsed, a.Elapsed) })
	i.longest = i.longest[:min(len(i.longest), longestKept)]
}

// end closes an account.
func (i *insights) end(t *tally) {
	if _, open := i.alive[t]; !open {
		return
	}
	delete(i.alive, t)
	w := t.at(time.Now(), 0)
	i.ended.Tasks += w.Tasks
	i.ended.Starting += w.Starting
	i.ended.Waiting += w.Waiting
	i.ended.Working += w.Working
	i.ended.Exiting += w.Exiting
}

// snapshot returns the insights of this moment; running are the attempts that are
// not over.
func (i *insights) snapshot(running map[*tally]time.Duration) Insights {
	now := time.Now()
	all := Insights{Ended: i.ended, Longest: slices.Clone(i.longest)}
	for t := range i.alive {
		all.Workers = append(all.Workers, t.at(now, running[t]))
	}
	slices.SortFunc(all.Workers, func(a, b WorkerInsight) int { return cmp.Compare(a.Worker, b.Worker) })
	return all
}

// leave notes that the worker was asked to leave.
func (t *tally) leave() { t.leaving = time.Now() }

// at is the account at a moment, when an attempt has run for so long. What a
// worker told of its times may be wrong.
func (t *tally) at(now time.Time, running time.Duration) WorkerInsight {
	w := WorkerInsight{Worker: t.worker, PID: t.pid, Tasks: t.tasks}
	if t.ready.IsZero() {
		w.Starting = now.Sub(t.started)
		return w
	}
	until := now
	if !t.leaving.IsZero() {
		until, w.Exiting = t.leaving, now.Sub(t.leaving)
	}
	w.Starting = t.ready.Sub(t.started)
	ready := max(0, until.Sub(t.ready))
	w.Working = min(ready, max(0, t.working+running))
	w.Waiting = ready - w.Working
	return w
}
