package pool_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// This file is what holds for both limits of what a task may use: those of processor time
// are in processors_linux_test.go, those of memory in growth_linux_test.go.

// delegate has a task with a limit and one without spend, and waits for both: of the first
// it tells the error.
var delegate = pool.NewTask("delegate", func(ctx context.Context, limit time.Duration) (told delegated, _ error) {
	p, err := pool.From(ctx)
	if err != nil {
		return told, err
	}
	limited := spend.Submit(ctx, p, spending{}, pool.WithCPUTime(limit))
	memory := fatten.Submit(ctx, p, fattening{Bytes: 3 * fatLimit}, pool.WithMemory(fatLimit))
	if _, err := spend.Submit(ctx, p, spending{For: 2 * limit}).Result(ctx); err != nil {
		return told, err
	}
	if excess, ok := errors.AsType[*pool.ExcessError](limited.Err(ctx)); ok {
		told.CPUTime, _ = excess.Why.(*pool.CPUTimeError)
	}
	if excess, ok := errors.AsType[*pool.ExcessError](memory.Err(ctx)); ok {
		told.Memory, _ = excess.Why.(*pool.MemoryError)
	}
	return told, nil
})

type delegated struct {
	CPUTime *pool.CPUTimeError
	Memory  *pool.MemoryError
}

// Limits go with nested tasks; who waits for these is not charged for them.
func TestExcessNested(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2, Grace: pool.NoGrace})
	told := value(t, delegate.Submit(t.Context(), p, spendLimit, pool.WithCPUTime(spendLimit)))
	if spent := told.CPUTime; spent == nil || spent.Limit != spendLimit || spent.Used < spendLimit || spent.Option != "WithCPUTime" {
		t.Errorf("%+v", spent)
	}
	if over := told.Memory; over == nil || over.Limit != fatLimit || over.Used <= fatLimit || over.Option != "WithMemory" || over.Task != "fatten" {
		t.Errorf("%+v", over)
	}
}

// What has used too much is tried again only if the policy says so, and then counts for the quarantine.
func TestExcessRetried(t *testing.T) {
	const limit = spendLimit / 4
	p := newProcessPool(t, pool.Config{Workers: 1, Grace: pool.NoGrace, Quarantine: 3})
	again := func(policy pool.Retry) *futures.Future[int] {
		policy.Delay = time.Millisecond
		return spend.Submit(t.Context(), p, spending{}, pool.WithCPUTime(limit), pool.WithRetry(policy))
	}
	f := again(pool.Retry{Attempts: 5})
	if overspent(t, f, limit); f.Attempts() != 1 {
		t.Errorf("by default there were %d attempts", f.Attempts())
	}
	retried := failure[*pool.RetryError](t, again(pool.Retry{Attempts: 2, On: pool.OnAny}))
	if len(retried.Attempts) != 2 {
		t.Errorf("%+v", retried)
	}
	for _, attempt := range retried.Attempts {
		if _, ok := errors.AsType[*pool.ExcessError](attempt.Err); !ok {
			t.Error(attempt.Err)
		}
	}
	if ended := failure[*pool.QuarantineError](t, again(pool.Retry{Attempts: 9, On: pool.OnAny})); ended.Workers != 3 {
		t.Error(ended)
	}
}

// A task's own limits hold, unless the call has others.
func TestExcessOfTask(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, Grace: pool.NoGrace})
	overspent(t, frugal.Submit(t.Context(), p, spending{}), spendLimit)
	overspent(t, frugal.Submit(t.Context(), p, spending{}, pool.WithCPUTime(spendLimit/2)), spendLimit/2)
	value(t, frugal.Submit(t.Context(), p, spending{For: 2 * spendLimit}, pool.WithCPUTime(0)))
	process := startProcess(t, frugal, spending{}, pool.ProcessConfig{})
	overspent(t, process.Future(), spendLimit)
}

// What cannot be enforced is refused: on goroutines, whose use nobody can tell.
func TestExcessRefused(t *testing.T) {
	p := newGoroutinePool(t, pool.Config{Workers: 1, Queue: 1})
	for option, with := range map[string]pool.Option{"WithCPUTime": pool.WithCPUTime(time.Hour), "WithMemory": pool.WithMemory(1 << 40)} {
		if err := failure[*pool.ConfigError](t, double.Submit(t.Context(), p, 1, with)); err.Field != option {
			t.Error(err)
		}
		closure := func(context.Context) (int, error) { return 1, nil }
		if err := failure[*pool.ConfigError](t, pool.Go(t.Context(), p, closure, with)); err.Field != option {
			t.Error(err)
		}
		var errs []error
		for _, err := range double.Map(t.Context(), p, slices.Values([]int{1, 2}), with) {
			errs = append(errs, err)
		}
		if unfit, ok := errors.AsType[*pool.ConfigError](errors.Join(errs...)); !ok || unfit.Field != option || len(errs) != 1 {
			t.Errorf("a map: %v", errs)
		}
	}
	if err := failure[*pool.ConfigError](t, frugal.Submit(t.Context(), p, spending{For: 1})); err.Field != "WithCPUTime" {
		t.Error(err)
	}
	if got := value(t, double.Submit(t.Context(), p, 2, pool.WithCPUTime(0), pool.WithMemory(0))); got != 4 {
		t.Errorf("double 2 is %d", got)
	}
	processes := newProcessPool(t, pool.Config{Workers: 1})
	for option, all := range map[string][]pool.Option{
		"WithCPUTime": {pool.WithCPUTime(-1), pool.WithCPUTime(math.MinInt64)},
		"WithMemory":  {pool.WithMemory(-1), pool.WithMemory(math.MinInt64)},
	} {
		for _, with := range all {
			if err := failure[*pool.ConfigError](t, double.Submit(t.Context(), processes, 1, with)); err.Field != option {
				t.Error(err)
			}
		}
	}
}
