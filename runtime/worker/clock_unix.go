//go:build unix

package worker

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonicClock translates between time.Time and CLOCK_MONOTONIC, which all
// processes of a machine share (clock_gettime(2)). Go's own monotonic reading
// counts from each process's start.
type monotonicClock struct {
	base        time.Time
	nanosAtBase int64
}

func newMonotonicClock() monotonicClock {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("CLOCK_MONOTONIC cannot be read: " + err.Error()) // POSIX knows no such case
	}
	return monotonicClock{base: time.Now(), nanosAtBase: ts.Nano()}
}

func (c monotonicClock) nanoseconds(t time.Time) int64 {
	return c.nanosAtBase + int64(t.Sub(c.base))
}

func (c monotonicClock) time(nanoseconds int64) time.Time {
	return c.base.Add(time.Duration(nanoseconds - c.nanosAtBase))
}
