package reactor

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"time"
)

// Backend names a way of noticing exits.
type Backend uint8

const (
	BackendAuto   Backend = iota // what STINT_REACTOR says, else the best that the system has
	BackendPidfd                 // pidfds in an epoll set: Linux 5.4 and later
	BackendPoll                  // asks at intervals that grow from 0.1 to 40 ms: any system
	BackendWaiter                // a goroutine, and so a thread, for each process: any system
)

var backendNames = [...]string{"auto", "pidfd", "poll", "waiter"}

// String returns the name as STINT_REACTOR spells it.
func (b Backend) String() string {
	if int(b) < len(backendNames) {
		return backendNames[b]
	}
	return fmt.Sprintf("Backend(%d)", uint8(b))
}

// environment names the variable that decides where the Config leaves it open.
const environment = "STINT_REACTOR"

// wanted returns the back end that the Config or the environment asks for, and
// which of them did.
func wanted(configured Backend) (b Backend, from string, err error) {
	const config = "Config.Backend"
	if int(configured) >= len(backendNames) {
		return 0, config, &BackendError{configured.String(), config, ErrUnknownBackend}
	}
	if configured != BackendAuto {
		return configured, config, nil
	}
	name := os.Getenv(environment)
	if name == "" {
		return BackendAuto, "the system's default", nil
	}
	if i := slices.Index(backendNames[:], name); i >= 0 {
		return Backend(i), environment, nil
	}
	return 0, environment, &BackendError{name, environment, ErrUnknownBackend}
}

// openOrBest makes the back end b. For BackendAuto that is the best that the
// system has, and the reason for a lesser one is logged.
func (b Backend) openOrBest(logger *slog.Logger, f Faults) (backend, Backend, error) {
	switch {
	case b != BackendAuto:
		made, err := b.open(f)
		return made, b, err
	case runtime.GOOS == "windows":
		return newWaiter(), BackendWaiter, nil
	case runtime.GOOS != "linux":
		return newPoll(), BackendPoll, nil
	}
	made, err := newPidfd(f)
	if err != nil {
		logger.Warn("reactor: processes are polled", "err", err)
		return newPoll(), BackendPoll, nil
	}
	return made, BackendPidfd, nil
}

// open makes the back end b, which is not BackendAuto.
func (b Backend) open(f Faults) (backend, error) {
	switch b {
	case BackendPidfd:
		return newPidfd(f)
	case BackendPoll:
		return newPoll(), nil
	default:
		return newWaiter(), nil
	}
}

// A backend notices that processes may have ended. What became of them the
// reactor asks the kernel itself.
//
// A back end makes no promise to be quiet: a token that it tells of may belong
// to a process that lives, or to a watch that is gone. It promises never to be
// silent: once a process that was added has ended, some wait tells of it.
type backend interface {
	// add begins to tell of p as token. Tokens are never used twice. An error
	// leaves p as it was, to be polled: errExhausted for now, others for good.
	// The caller holds the lock of p's watch. Any goroutine.
	add(token uint64, p *process) error

	// remove undoes an add that succeeded. Tokens of p may still come after it.
	// The caller holds the lock of p's watch. Any goroutine, also after close.
	remove(p *process)

	// wait blocks until there are tokens to tell, which it appends to ready, or
	// until the deadline. It fails after close only; or, once, with errBackendLost:
	// from then on the back end takes and tells of no process, and keeps deadlines
	// alone. The loop alone calls it.
	wait(ready []uint64) ([]uint64, error)

	// setDeadline makes wait, also one that blocks already, return at t; a zero
	// t means no deadline. Never blocks. Any goroutine.
	setDeadline(t time.Time)

	// close makes wait fail and lets go of what the back end holds.
	close() error
}

var (
	// errExhausted: no descriptor or kernel memory for this process now.
	errExhausted = errors.New("out of descriptors or kernel memory")
	// errBackendOff: the system refuses what the back end is built on; it takes no process any more.
	errBackendOff = errors.New("refused by the system")
	// errBackendLost: what the back end waits with has failed.
	errBackendLost = errors.New("the back end failed")
	// errUntellable: the back end cannot tell of this process.
	errUntellable = errors.New("the back end cannot tell of this process")
)
