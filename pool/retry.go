package pool

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Retry says when a task that has begun and failed is tried again; without one it
// never is. It is given to a call, or to NewTask for all calls, by WithRetry.
//
// An attempt that was killed is not followed by another, whatever the policy:
// after Future.Kill, the end of the caller's context, and a shutdown that does
// not wait for what is accepted. Between two attempts these end the task as well;
// Future.Cancel does not, since the task has begun. The limit of WithTimeout is
// for each attempt, the caller's context is over all.
//
// On a process pool an attempt begins when the one before is certainly over. On a
// goroutine pool one that was abandoned may still be running, and uses the same
// argument. What a task in a worker process submits by From is tried again by the
// host, so its policy can have no functions of its own (a *ConfigError), unless it
// is the one that the task was registered with.
type Retry struct {
	// Attempts is how often the task may be tried in all; 1: once, as without a
	// policy. There is no default: a policy without a limit is a *ConfigError.
	Attempts int
	// On tells which errors are worth another attempt. It may block, and is called
	// on a goroutine of its own. If it panics there is no other attempt. Default:
	// OnWorkerDeath or OnTimeout.
	On func(err error) bool
	// Delay is how long the task waits after the first attempt. It doubles with
	// each further one, up to MaxDelay, and each wait is longer or shorter by up to
	// half, at random. Defaults: 100 ms; the greater of 10 s and Delay.
	Delay, MaxDelay time.Duration
	// Backoff makes the delays of one task, instead of Delay and MaxDelay;
	// backoff.Stop is the end of the attempts. It is called as On is.
	Backoff func() backoff.BackOff
}

// OnWorkerDeath, as Retry.On, retries after a *WorkerError.
func OnWorkerDeath(err error) bool {
	_, is := errors.AsType[*WorkerError](err)
	return is
}

// OnTimeout, as Retry.On, retries after a *TimeoutError or a *SilenceError.
func OnTimeout(err error) bool {
	_, late := errors.AsType[*TimeoutError](err)
	_, silent := errors.AsType[*SilenceError](err)
	return late || silent
}

// OnAny, as Retry.On, retries after every error: also when the task returned
// one, panicked, or cannot be decoded.
func OnAny(error) bool { return true }

// WithRetry has the task tried again as the policy says. A policy that cannot be
// fails the task with a *ConfigError.
func WithRetry(policy Retry) Option {
	return func(j *Job) { j.retry = &retrying{policy: &policy} }
}

// check says what cannot be in a policy.
func (r *Retry) check() error {
	var reason string
	switch {
	case r.Attempts == 0:
		reason = "Attempts is 0: say how often the task may be tried in all"
	case r.Attempts < 0 || r.Attempts > math.MaxInt32:
		reason = fmt.Sprintf("Attempts is %d", r.Attempts)
	case r.Delay < 0:
		reason = fmt.Sprintf("Delay is %v", r.Delay)
	case r.MaxDelay < 0:
		reason = fmt.Sprintf("MaxDelay is %v", r.MaxDelay)
	case r.MaxDelay > 0 && r.MaxDelay < r.Delay:
		reason = fmt.Sprintf("MaxDelay, %v, is below Delay, %v", r.MaxDelay, r.Delay)
	case r.Backoff != nil && (r.Delay > 0 || r.MaxDelay > 0):
		reason = "Backoff takes the place of Delay and MaxDelay: give one or the other"
	default:
		return nil
	}
	return &ConfigError{Field: "WithRetry", Reason: reason}
}

// wants reports whether an error is worth another attempt.
func (r *Retry) wants(err error) bool {
	if r.On == nil {
		return OnWorkerDeath(err) || OnTimeout(err)
	}
	return r.On(err)
}

// delays returns the delays of one task.
func (r *Retry) delays() backoff.BackOff {
	if r.Backoff != nil {
		return r.Backoff()
	}
	b := &backoff.ExponentialBackOff{
		InitialInterval: r.Delay, MaxInterval: r.MaxDelay, Multiplier: 2, RandomizationFactor: 0.5,
	}
	setDefault(&b.InitialInterval, 100*time.Millisecond)
	setDefault(&b.MaxInterval, max(10*time.Second, b.InitialInterval))
	return b
}
