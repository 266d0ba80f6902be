// Package mark marks processes, so that what they start can be told from all
// others: by whatever double forks and sessions it went, and whoever has adopted it.
//
// A mark is a number that a process inherits and that nothing reads: the soft
// RLIMIT_LOCKS of getrlimit(2), which has had no effect since Linux 2.4.25. Unlike
// a parent's pid it survives the parent, unlike a process group it survives
// setsid(2), and unlike a variable of the environment it can be read of a
// zombie, in 0.2 µs and without a descriptor (prlimit(2)). A process can take its
// mark off, which nothing does by accident.
//
// Marks form a tree as hosts and workers do: a host takes marks below its own for its
// workers, and a worker that is a host takes them below its worker's mark. So what
// is below a mark is all that came from there.
//
// # Goroutines
//
// None.
package mark
