// Package guard is the guard of a host: a small process that does nothing but wait
// for the host's end. When the host dies, in whatever way, it kills all that the
// host's workers are and have started, and removes their control groups.
//
// The kernel kills workers with their host, mostly, but neither a worker that is
// stopped (a worker that serves asks for a signal that it can handle) nor what
// workers have started.
//
// The guard is told all that it has to know when it is started: the mark that its
// host's workers' marks are below, and the host's control group. So nothing is
// sent to it, and nothing piles up when it is stopped. Its lifeline is a pipe of
// which the host alone has the other end.
//
// It is this program, executed once more; Go initializes the program's packages
// up to this one in it, and it never gets to main.
//
// # Goroutines
//
// None. The guard process waits in its initialization.
package guard
