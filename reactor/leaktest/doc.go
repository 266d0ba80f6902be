// Package leaktest fails a test run that leaves something behind: a goroutine,
// a file descriptor, a process (a zombie is told as one), a mapping of anonymous
// shared memory, or a named object in the temporary directory or in /dev/shm. Only tests import it.
//
//	func TestMain(m *testing.M) { leaktest.Main(m) }
//
// What is compared is what was there before the tests with what is there after
// them; what is on its way out gets a bounded time to go. [Check] asserts the
// same for one test, and a [Snapshot] for anything else, such as a helper
// process that a test starts.
//
// # What counts as ours
//
// A process is ours when it descends from this one, when it carries the mark
// that [Take] puts into the environment (so that a daemon that left our tree is
// found too), or when it runs this test binary and has been orphaned.
//
// A named object is ours when its name begins with "stint-", and so is the shared
// memory of a memfd_create(2). [Main] gives the
// run a temporary directory of its own, so packages that are tested at the same
// time do not see each other's files. /dev/shm cannot be divided like that:
// a name there should begin with "stint-PID-", and it is somebody else's for as
// long as PID is a living process that is not ours.
//
// # Goroutines
//
// The package starts none.
//
// # Systems
//
// Descriptors, processes, mappings and /dev/shm are read from Linux's /proc. On other
// systems goroutines and temporary files are compared and nothing else.
package leaktest
