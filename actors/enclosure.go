package actors

// Enclosure keeps what one process starts together, so that all of it ends with
// the process, also what has left its process group. It is made before the
// process is started, and asked once at each step of its life, in the order of the
// methods; Condemned may be left out.
type Enclosure interface {
	// Descriptor returns an open directory of a version 2 control group, in which
	// the process is to be started, or -1. Linux only. A limit of the group's memory
	// must leave room for the start, with all arguments and the environment: until the
	// program is executed the process shares this program's memory, and where the kernel
	// kills the one for want of memory it kills both.
	Descriptor() int
	// Mark returns the soft RLIMIT_LOCKS that the process begins with, by which it and
	// what it starts can be known, or 0. Linux only.
	Mark() uint64
	// Started says that the process runs. It is not watched yet, so that nobody has
	// reaped it, and it may have ended. An error ends it, and its start has failed.
	// The spawner calls it: it should not take long.
	Started(pid int) error
	// Condemned says that the process was killed and does not go, because the kernel
	// holds it: what it has started is to end now. It must not block.
	Condemned()
	// Ended says that the process has ended and was reaped, or never was started. What
	// it has left is to end, and over is called when that has gone or is given up, on any
	// goroutine. It must not block.
	Ended(over func())
}

// open is the enclosure of a process that has none beyond its group.
type open struct{}

func (open) Descriptor() int   { return -1 }
func (open) Mark() uint64      { return 0 }
func (open) Started(int) error { return nil }
func (open) Condemned()        {}
func (open) Ended(over func()) { over() }

// abandoned is what a start that has failed tells its enclosure, whose owner waits
// for the rest.
func abandoned() {}
