// Package frozentest makes processes that not even SIGKILL ends, for tests of what is
// done about them: it freezes them, as a file system that does not answer would.
//
//	release := frozentest.Hold(t, p.PID())
//	…             // SIGKILL is on its way, and does not arrive
//	release()     // it does; what is left is reaped
//
// # Goroutines
//
// None.
//
// # Systems
//
// Linux with the freezer of version 1 of cgroups, for root. Elsewhere Hold skips the
// test, and says what the machine lacks.
package frozentest
