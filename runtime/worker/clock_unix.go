//go:build unix

package worker

import (
	"math"
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

// newMonotonicClock reads both clocks: the one right between two readings of the
// other. The closest of three such pairs counts, so that a thread that lost its
// processor in between does no harm.
func newMonotonicClock() monotonicClock {
	var c monotonicClock
	closest := int64(math.MaxInt64)
	for range 3 {
		before, now, after := readMonotonic(), time.Now(), readMonotonic()
		if distance := after - before; distance < closest {
			closest = distance
			c = monotonicClock{base: now, nanosAtBase: before + distance/2}
		}
	}
	return c
}

func readMonotonic() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("CLOCK_MONOTONIC cannot be read: " + err.Error()) // POSIX knows no such case
	}
	return ts.Nano()
}

func (c monotonicClock) nanoseconds(t time.Time) int64 {
	return c.nanosAtBase + int64(t.Sub(c.base))
}

func (c monotonicClock) time(nanoseconds int64) time.Time {
	return c.base.Add(time.Duration(nanoseconds - c.nanosAtBase))
}
