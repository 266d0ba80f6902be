package worker

import "io"

// Faults has a host's links and its workers fail, for tests of what the pool, and
// the program that uses it, do then. Package pool/pooltest has an implementation.
// Its methods are called from any goroutine and must not block.
type Faults interface {
	// Call is asked before a system call: socketpair, memfd_create, mmap. An error is
	// what the call fails with, instead of being made.
	Call(name string) error
	// Strikes are what the worker of this number is to suffer, each at a step of its
	// life.
	Strikes(worker int) []Strike
	// Received returns what the link reads in place of what the worker has sent.
	Received(worker int, channel io.Reader) io.Reader
}

// fault is f.Call, if there is an f.
func fault(f Faults, call string) error {
	if f == nil {
		return nil
	}
	return f.Call(call)
}
