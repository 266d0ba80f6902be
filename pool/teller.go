package pool

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
)

// WithProgress has tell called with what the task reports, one report after
// another and in their order, on a goroutine of its own that ends with the last.
// A call that takes long delays no task: of the reports that come meanwhile only
// the latest is told. The last report is told in any case, perhaps after the
// future has settled. A report that is no P is logged, and so is a panic. A nil
// function fails the task with a *ConfigError.
func WithProgress[P any](tell func(P)) Option {
	return func(j *Job) {
		j.teller = &teller{}
		if tell != nil {
			j.teller.tell = func(r *report) {
				p, err := readReport[P](r)
				if err != nil {
					slog.Error("stint: a report of progress cannot be told", "error", err)
					return
				}
				tell(p)
			}
		}
	}
}

// teller tells a task's reports.
type teller struct {
	tell func(*report) // nil: a mistake of the caller's

	mu     sync.Mutex
	latest *report // not told yet; nil: none
	awake  bool    // the goroutine runs
}

// hear takes a report. It does not block.
func (t *teller) hear(r *report) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.latest = r
	if !t.awake {
		t.awake = true
		go t.run() // ends with the last report; nobody waits for it: see docs/rationale.md
	}
}

// run tells reports as long as there are any. A function that ends its goroutine
// gets another one.
func (t *teller) run() {
	returned := false
	defer func() {
		if !returned {
			go t.run()
		}
	}()
	for r := t.next(); r != nil; r = t.next() {
		t.call(r)
	}
	returned = true
}

func (t *teller) next() *report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.latest
	t.latest, t.awake = nil, r != nil
	return r
}

// call contains a panic of the caller's function.
func (t *teller) call(r *report) {
	defer func() {
		if reason := recover(); reason != nil {
			slog.Error("stint: a callback of progress panicked", "panic", fmt.Sprint(reason), "stack", string(debug.Stack()))
		}
	}()
	t.tell(r)
}
