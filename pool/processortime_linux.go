package pool

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// processorTimeTold is why this system does not tell how much processor time a process
// has used; nil: it does.
var processorTimeTold = sync.OnceValue(func() error {
	_, err := processorTime(os.Getpid())
	return err
})

// processorTime returns how much processor time the threads of a process have used, those
// that have ended included: what the clock tells that clock_getcpuclockid(3) finds. It
// takes no descriptor and no right to the process, and does not block. An error may be
// that there is no such process; one that has ended and was not reaped is one.
func processorTime(pid int) (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED, of the whole process
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &used); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return time.Duration(used.Nano()), nil
}
