package pool

import (
	"reflect"
	"time"
)

// nestedRetry is a retry policy on its way to the host. That is the same program,
// so it has the task's own policy by the task's name, and the functions of this
// package by theirs.
type nestedRetry struct {
	OfTask          bool // the policy that the task was registered with; then nothing else counts
	Attempts        int
	On              string // of predicates
	Delay, MaxDelay time.Duration
}

// predicates are the functions that a policy may have on its way.
var predicates = map[string]func(error) bool{"": nil, "worker death": OnWorkerDeath, "timeout": OnTimeout, "any": OnAny}

// pack describes a policy for a task; nil: it is tried once. An error is a
// *ConfigError: the policy has functions of the caller's own, which are here.
func (r *retrying) pack(d *definition) (*nestedRetry, error) {
	switch {
	case r == nil:
		return nil, nil
	case r.policy == d.retry():
		return &nestedRetry{OfTask: true}, nil
	}
	policy := r.policy
	if policy.Backoff == nil {
		for name, on := range predicates {
			if reflect.ValueOf(on).Pointer() == reflect.ValueOf(policy.On).Pointer() {
				return &nestedRetry{Attempts: policy.Attempts, On: name, Delay: policy.Delay, MaxDelay: policy.MaxDelay}, nil
			}
		}
	}
	return nil, &ConfigError{Field: "WithRetry", Reason: "a policy with functions of its own cannot leave the worker process: give it to NewTask, or use OnWorkerDeath, OnTimeout or OnAny"}
}

// unpack is the inverse of pack, in the host. Not ok: no worker says that.
func (n *nestedRetry) unpack(task string) (r *retrying, ok bool) {
	if n == nil {
		return nil, true
	}
	if n.OfTask {
		d, found := tasks.find(task)
		if !found || d.retry() == nil {
			return nil, false
		}
		return &retrying{policy: d.retry()}, true
	}
	on, found := predicates[n.On]
	policy := &Retry{Attempts: n.Attempts, On: on, Delay: n.Delay, MaxDelay: n.MaxDelay}
	return &retrying{policy: policy}, found && policy.check() == nil
}

// retry returns the policy that the task was registered with; nil: none.
func (d *definition) retry() *Retry {
	var probe Job
	probe.apply(d.options, nil)
	if probe.retry == nil {
		return nil
	}
	return probe.retry.policy
}
