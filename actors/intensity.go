package actors

import (
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The delay before the next try: firstDelay after the first failure, doubled
// with each further one, until a process becomes ready.
const (
	firstDelay = 10 * time.Millisecond
	lastDelay  = 2 * time.Second
)

// intensity watches how often starts fail.
type intensity struct {
	limit    int
	within   time.Duration
	failures []time.Time // of the last within, oldest first
	inARow   int         // failures since a process became ready, however slowly they came
	flashed  time.Time   // the last time that a process left at once after it became ready
	delay    *backoff.ExponentialBackOff
}

func newIntensity(limit int, within time.Duration) *intensity {
	return &intensity{limit: limit, within: within, delay: doubling(firstDelay, lastDelay)}
}

// failed counts a failure and reports whether there are now too many.
func (i *intensity) failed(now time.Time) bool {
	i.inARow++
	i.failures = append(i.failures, now)
	for now.Sub(i.failures[0]) > i.within {
		i.failures = i.failures[1:]
	}
	return len(i.failures) >= i.limit || i.inARow >= i.limit
}

func (i *intensity) nextDelay() time.Duration { return i.delay.NextBackOff() }

// succeeded says that a process became ready. Failures stay counted for their
// time. The delay is set back, unless processes have lately become ready only to
// leave at once.
func (i *intensity) succeeded(now time.Time) {
	i.inARow = 0
	if now.Sub(i.flashed) > i.within {
		i.delay.Reset()
	}
}

// worked says that a process has worked before it left: the delay is set back.
func (i *intensity) worked() {
	i.flashed = time.Time{}
	i.delay.Reset()
}

// flash says that a process has left at once after it became ready. That is no
// failure to start, but is not to go on without a delay for ever.
func (i *intensity) flash(now time.Time) { i.flashed = now }

// doubling returns the delays first, 2·first, 4·first, … up to last.
func doubling(first, last time.Duration) *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{InitialInterval: first, Multiplier: 2, MaxInterval: last}
}
