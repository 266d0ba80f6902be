package pool

import (
	"time"

	"github.com/stint-go/stint/runtime/worker"
)

// pace estimates how long the tasks of one worker run, to decide how many to
// send ahead to it.
type pace struct {
	running time.Duration // of late; 0: nothing is known yet
}

const (
	// maxWindow is how many tasks may be with one worker.
	maxWindow = worker.Slots
	// aheadTime is how much work may wait at a worker: enough to cover the way
	// there and back many times, little enough to lose nothing by it.
	aheadTime = time.Millisecond
)

// note takes a task's running time in: a longer one counts at once, shorter ones
// by and by, so that the window closes fast and opens slowly.
func (p *pace) note(elapsed time.Duration) {
	elapsed = max(elapsed, 1)
	if elapsed > p.running {
		p.running = elapsed
	} else {
		p.running -= (p.running - elapsed) / 8
	}
}

// window returns how many tasks the worker may have: one that runs, and as many
// behind it as run in aheadTime.
func (p *pace) window() int {
	if p.running == 0 {
		return 1
	}
	return 1 + min(int(aheadTime/p.running), maxWindow-1)
}
