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
	delay    *backoff.ExponentialBackOff
}

func newIntensity(limit int, within time.Duration) *intensity {
	return &intensity{limit: limit, within: within, delay: doubling(firstDelay, lastDelay)}
}

// failed counts a failure and reports whether there are now too many.
func (i *intensity) failed(now time.Time) bool {
	i.failures = append(i.failures, now)
	for now.Sub(i.failures[0]) > i.within {
		i.failures = i.failures[1:]
	}
	return len(i.failures) >= i.limit
}

func (i *intensity) nextDelay() time.Duration { return i.delay.NextBackOff() }

// succeeded sets the delay back. Failures stay counted for their time.
func (i *intensity) succeeded() { i.delay.Reset() }

// doubling returns the delays first, 2·first, 4·first, … up to last.
func doubling(first, last time.Duration) *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{InitialInterval: first, Multiplier: 2, MaxInterval: last}
}
