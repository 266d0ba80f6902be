package pool_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// TestQuarantine: a task that ends worker after worker is not tried for ever.
func TestQuarantine(t *testing.T) {
	overKinds(t, "after so many workers in a row, with its history", func(t *testing.T, open opener) {
		for workers, config := range map[int]int{3: 0, 2: 2} {
			p := open(t, pool.Config{Workers: 2, Grace: pool.NoGrace, Quarantine: config})
			r := record(t, p)
			f := flakyHang.Submit(t.Context(), p, failing(t, 99), pool.WithTimeout(20*time.Millisecond), pool.WithRetry(soon(9, nil)))
			doubled(t, submit(t, p, 100)) // meanwhile
			err := failure[*pool.QuarantineError](t, f)
			timeout, ok := errors.AsType[*pool.TimeoutError](err)
			if err.Workers != workers || len(err.Attempts) != workers || f.Attempts() != workers || !errors.Is(err, pool.ErrQuarantined) || !ok || timeout.Run != err.Run {
				t.Errorf("got %v", err)
			}
			for _, a := range err.Attempts {
				if e, ok := errors.AsType[*pool.TimeoutError](a.Err); !ok || a.Run != e.Run || a.Elapsed < 20*time.Millisecond {
					t.Errorf("got %+v", a)
				}
			}
			if s := p.Stats(); s.Quarantined != 1 || s.Failed != 1 || s.TimedOut != 1 || s.Retried != uint64(workers-1) {
				t.Errorf("the figures: %+v", s)
			}
			e := hears(t, r, func(pool.TaskQuarantined) bool { return true })
			if e.Err != err || e.Attempt != workers || e.Job != 1 {
				t.Errorf("got %+v", e)
			}
		}
	})

	overKinds(t, "not if a worker survives now and then", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, Grace: pool.NoGrace, Quarantine: 2})
		f := everyOther.Submit(t.Context(), p, failing(t, 3), pool.WithTimeout(300*time.Millisecond), pool.WithRetry(soon(9, pool.OnAny)))
		if n, err := result(t, f); err != nil || n != 4 {
			t.Errorf("attempt %d, %v", n, err)
		}
	})

	overKinds(t, "a task without a policy fails with its first worker", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, Grace: pool.NoGrace, Quarantine: 1})
		f := sleepOn.Submit(t.Context(), p, 2*time.Second, pool.WithTimeout(10*time.Millisecond))
		if _, err := result(t, f); errors.Is(err, pool.ErrQuarantined) {
			t.Errorf("got %v", err)
		}
	})
}
