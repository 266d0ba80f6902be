//go:build unix

package pool_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stint-go/stint/pool"
)

// late is registered when the tests run, as by a program that makes tasks on its
// way: its workers do not know it.
var late = sync.OnceValue(func() *pool.Task[none, none] {
	return pool.NewTask("late", func(context.Context, none) (none, error) { return none{}, nil })
})

// TestUnknownTask: a task that its worker does not know fails and says what to
// do; the worker lives on.
func TestUnknownTask(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	before := workerPID(t, p)
	err := failure[*pool.TaskError](t, late().Submit(t.Context(), p, none{}))
	if !errors.Is(err, pool.ErrUnknownTask) || err.Task != "late" || err.PID != before {
		t.Errorf("got %+v", err)
	}
	if after := workerPID(t, p); after != before {
		t.Errorf("the worker is %d, was %d", after, before)
	}
	value(t, late().Submit(t.Context(), newGoroutinePool(t, pool.Config{}), none{}))
}
