package pool

import "fmt"

// MaxPoolDepth is how deep pools of processes may nest: the pools of a program that
// is no worker are 1 deep, those that its tasks make in their workers 2 deep.
const MaxPoolDepth = 3

// DepthError: a task in a worker process wanted a process pool of its own, and
// there are too many above it. Without a limit a task that makes a pool and runs
// itself there would fill the machine.
type DepthError struct {
	Depth int // that the pool would have
}

// Error implements error.
func (e *DepthError) Error() string {
	return fmt.Sprintf("no process pool at depth %d: each is the pool of a worker of the one above, and pools nest at most %d deep; "+
		"submit to a pool that there is (see pool.From)", e.Depth, MaxPoolDepth)
}
