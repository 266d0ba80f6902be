package pool

// placement says among which jobs a job waits.
type placement struct {
	// depth of nesting: a task that a running one waits for goes before whatever
	// is less deep, or the running one would wait for those, too.
	depth    int
	priority int    // by WithPriority
	name     string // by WithQueue
}

// outranks reports whether jobs placed like this go before others, whoever's
// turn it is.
func (at placement) outranks(other placement) bool {
	if at.depth != other.depth {
		return at.depth > other.depth
	}
	return at.priority > other.priority
}

// placement returns where the job waits.
func (j *Job) placement() placement {
	if j.placed == nil {
		return placement{}
	}
	return *j.placed
}

// ownPlacement returns what an option may change of it.
func (j *Job) ownPlacement() *placement {
	if j.placed == nil {
		j.placed = new(placement)
	}
	return j.placed
}

// WithPriority has the task begin before all waiting tasks of a lower priority;
// among those of the same it begins in the order of acceptance. Default 0; any
// number will do. A task that was sent ahead to a worker, about 1 ms before its
// turn at most, is not overtaken; nor is one that runs.
//
// Nothing ages: as long as tasks of a higher priority wait, no other begins.
func WithPriority(priority int) Option {
	return func(j *Job) { j.ownPlacement().priority = priority }
}

// WithQueue has the task wait in the pool's queue of that name, which comes into
// being with the first task in it; the default is the one named "". Within one
// priority, the workers are shared evenly between the queues in which something
// waits: a worker that becomes free goes to the one that has the fewest workers,
// in turn among equals. So a caller who submits a million tasks does not keep
// another's from running; tasks that run longer have no more workers by that, but
// where there are fewer workers than queues, more of their time.
func WithQueue(name string) Option {
	return func(j *Job) { j.ownPlacement().name = name }
}
