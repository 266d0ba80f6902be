package actors

// Enclosure keeps what one process starts together, so that all of it ends with
// the process, also what has left its process group, and so that all of it can be
// held to limits. It is made before the process is started, and asked once at each
// step of its life, in the order of the methods; Condemned and Killed may be left out.
type Enclosure interface {
	// Place returns with what the process is to begin, of which the limits are l but for
	// those that the enclosure holds all of it to.
	Place(l Limits) Place
	// Started says that the process runs. It is not watched yet, so that nobody has
	// reaped it, and it may have ended. An error ends it, and its start has failed.
	// The spawner calls it: it should not take long.
	Started(pid int) error
	// Watched says that the process is watched now, and can be killed. It must not block.
	Watched(p *Process)
	// Condemned says that the process was killed and does not go, because the kernel
	// holds it: what it has started is to end now. It must not block.
	Condemned()
	// Killed says that the process has ended by a SIGKILL that nobody here has sent, and
	// returns what is known of why: of the kind CauseMemory if it was a limit of the
	// enclosure's, and of CauseNone else, with an error or without. It must not block.
	Killed() Cause
	// Ended says that the process has ended and was reaped, or never was started. What
	// it has left is to end, and over is called when that has gone or is given up, on any
	// goroutine. It must not block.
	Ended(over func())
}

// Place is with what a process begins. Its descriptors are the enclosure's, which has
// them open until Started or Ended is called. Linux only.
type Place struct {
	// Group is an open directory of a version 2 control group, in which the process is
	// started, or -1. A limit of the group's memory must leave room for the start, with
	// all arguments and the environment: until the program is executed the process
	// shares this program's memory, and where the kernel kills the one for want of
	// memory it kills both.
	Group int
	// Entrances are open files cgroup.procs of version 1 control groups, into which the
	// process moves itself before its program's first instruction.
	Entrances []int
	// Mark is the soft RLIMIT_LOCKS of the process, by which it and what it starts can be
	// known, or 0.
	Mark uint64
	// Limits are the process's own.
	Limits Limits
}

// open is the enclosure of a process that has none beyond its group.
type open struct{}

func (open) Place(l Limits) Place { return Place{Group: -1, Limits: l} }
func (open) Started(int) error    { return nil }
func (open) Watched(*Process)     {}
func (open) Condemned()           {}
func (open) Killed() Cause        { return Cause{} }
func (open) Ended(over func())    { over() }

// abandoned is what a start that has failed tells its enclosure, whose owner waits
// for the rest.
func abandoned() {}
