package process

import (
	"time"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is what /proc counts in, whatever the kernel itself does: USER_HZ.
const ticksPerSecond = 100

func ticks(n uint64) time.Duration { return time.Duration(n) * (time.Second / ticksPerSecond) }

// startTime tells the time by the clock of today, however it was set since.
func startTime(start uint64) time.Time {
	var sinceBoot unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &sinceBoot) != nil {
		return time.Time{}
	}
	return time.Now().Add(ticks(start) - time.Duration(sinceBoot.Nano()))
}
