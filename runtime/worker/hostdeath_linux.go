package worker

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// A worker on Linux has two ways to learn of its host's death: the end of the
// channel, and the signal that it asked the kernel for when it was spawned
// (PR_SET_PDEATHSIG). The second covers a worker that never serves. One that
// serves must not die of it, since it has its process group to take along.

// softenHostDeath has the kernel send SIGHUP in place of SIGKILL: it ends a
// worker as well, until heedHostDeath. The signal belongs to the first thread,
// on which Go initialises packages.
func softenHostDeath() { _ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGHUP), 0, 0, 0) }

// heedHostDeath leaves the host's death to the reader of the channel.
func heedHostDeath() { signal.Notify(make(chan os.Signal, 1), unix.SIGHUP) }
