package pool

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// processors is how many may work for a worker: all that the system has. Those that this
// program may use, or Config.CPUs, may be fewer, but a task can take more again,
// sched_setaffinity(2).
var processors = sync.OnceValue(func() time.Duration {
	online, err := os.ReadFile("/sys/devices/system/cpu/online") // as in "0-3,6", cpuset(7)
	all := strings.TrimSpace(string(online))
	last, wrong := strconv.Atoi(all[strings.LastIndexAny(all, ",-")+1:])
	if err != nil || wrong != nil {
		last = 0
	}
	return time.Duration(max(last+1, runtime.NumCPU()))
})

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
