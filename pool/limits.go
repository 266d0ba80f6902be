package pool

import (
	"fmt"
	"math"
	"time"
)

// limits are a task's three clocks: how long it may wait to be begun, run, and
// run without a sign of life; and what it may use: how much processor time, and how
// many bytes of memory. 0: any. A pool has none of the latter.
type limits struct {
	queue, running, silence time.Duration

	cpu    time.Duration
	memory int64
}

// byDefault stands for a limit that the call leaves to its pool.
const byDefault time.Duration = math.MinInt64

// noLimits are those of a call that leaves them all to its pool, as most do.
var noLimits = limits{queue: byDefault, running: byDefault, silence: byDefault}

// ownLimits returns the job's limits for a change. Jobs share those that they have
// by default.
func (j *Job) ownLimits() *limits {
	if j.limits == &noLimits {
		own := noLimits
		j.limits = &own
	}
	return j.limits
}

// completeLimits puts the pool's limits where the call has none of its own.
func (j *Job) completeLimits(of *limits) {
	if j.limits == &noLimits {
		j.limits = of
		return
	}
	j.limits.complete(of)
}

// limits are the pool's own.
func (c *Config) limits() limits {
	return limits{queue: c.QueueTimeout, running: c.TaskTimeout, silence: c.SilenceTimeout}
}

// WithQueueTimeout limits how long this task may wait to be begun, instead of
// Config.QueueTimeout. 0 means no limit. A negative one fails the task with a
// *ConfigError.
func WithQueueTimeout(limit time.Duration) Option {
	return func(j *Job) { j.ownLimits().queue = limit }
}

// WithTimeout limits this task's running time instead of Config.TaskTimeout; it
// counts from when the task begins. 0 means no limit. A negative limit fails the
// task with a *ConfigError.
func WithTimeout(limit time.Duration) Option {
	return func(j *Job) { j.ownLimits().running = limit }
}

// WithSilenceTimeout limits how long this task may run without a sign of life,
// instead of Config.SilenceTimeout. 0 means no limit. A negative one fails the
// task with a *ConfigError.
func WithSilenceTimeout(limit time.Duration) Option {
	return func(j *Job) { j.ownLimits().silence = limit }
}

// check returns a *ConfigError for a limit that cannot be.
func (l *limits) check() error {
	for _, of := range [...]struct {
		option string
		limit  time.Duration
	}{
		{"WithQueueTimeout", l.queue},
		{"WithTimeout", l.running},
		{"WithSilenceTimeout", l.silence},
	} {
		if of.limit < 0 && of.limit != byDefault {
			return &ConfigError{Field: of.option, Reason: fmt.Sprintf("%v is negative", of.limit)}
		}
	}
	if l.cpu < 0 {
		return &ConfigError{Field: optionCPUTime, Reason: fmt.Sprintf("%v is negative", l.cpu)}
	}
	if l.memory < 0 {
		return &ConfigError{Field: optionMemory, Reason: fmt.Sprintf("%d is negative", l.memory)}
	}
	return nil
}

// sum adds two times of which neither is negative; what is too long to be told is
// as long as can be, some 292 years.
func sum(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func (l *limits) complete(pool *limits) {
	for _, of := range [...]struct{ call, pool *time.Duration }{
		{&l.queue, &pool.queue},
		{&l.running, &pool.running},
		{&l.silence, &pool.silence},
	} {
		if *of.call == byDefault {
			*of.call = *of.pool
		}
	}
}

// soonest is when a limit that counts once a task runs can be reached at the
// earliest after that; 0: it has none.
func (l *limits) soonest() (soonest time.Duration) {
	for _, limit := range [...]time.Duration{l.running, l.silence, spendable(l.cpu)} {
		if limit > 0 && (soonest == 0 || limit < soonest) {
			soonest = limit
		}
	}
	return soonest
}
