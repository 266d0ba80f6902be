//go:build unix

package pool_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// A spare takes the place of a worker that is killed, at once, and is replaced as
// a spare. Before that it is given nothing.
func TestSpare(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, Spares: 1, Grace: pool.NoGrace})
	workerOf := func() int {
		t.Helper()
		_, err := result(t, fail.Submit(t.Context(), p, "on purpose"))
		var failed *pool.TaskError
		if !errors.As(err, &failed) {
			t.Fatalf("%v", err)
		}
		return failed.Worker
	}
	spare := func() bool { s := p.Stats(); return s.Ready == 1 && s.Spare == 1 && s.Workers == 1 }
	eventually(t, "a spare", spare)
	first := workerOf()
	for range 20 {
		if n := workerOf(); n != first {
			t.Fatalf("worker %d was given a task, the spare", n)
		}
	}
	for round := range 3 {
		started := p.Stats().Started
		hung := spin.Submit(t.Context(), p, none{}, pool.WithTimeout(20*time.Millisecond))
		if _, err := result(t, hung); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if n := workerOf(); n == first || n > int(started) {
			t.Errorf("round %d: worker %d answered, which was not the spare", round, n)
		} else {
			first = n
		}
		eventually(t, "another spare", spare)
	}
}

// A pool that has a deadline keeps a spare, unless it is told not to.
func TestSpareByDefault(t *testing.T) {
	for _, c := range []struct {
		config pool.Config
		spares int
	}{
		{pool.Config{Workers: 1}, 0},
		{pool.Config{Workers: 1, TaskTimeout: patience}, 1},
		{pool.Config{Workers: 1, TaskTimeout: patience, Spares: 2}, 2},
		{pool.Config{Workers: 1, TaskTimeout: patience, Spares: pool.NoSpares}, 0},
	} {
		p := newProcessPool(t, c.config)
		eventually(t, "the spares", func() bool { s := p.Stats(); return s.Ready == 1 && s.Spare == c.spares })
		if started := p.Stats().Started; started != uint64(1+c.spares) {
			t.Errorf("%+v: %d workers were started", c.config, started)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}
