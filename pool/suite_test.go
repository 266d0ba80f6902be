package pool_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// kinds are the pools that there are. What is asserted of a pool is asserted of
// each of them, by the same test: see overKinds.
var kinds = []kind{
	{
		"goroutines",
		func(t testing.TB, c pool.Config) pool.Pool { return newGoroutinePool(t, c) },
		func(c pool.Config) (pool.Pool, error) { return pool.NewGoroutinePool(c) },
	},
}

type kind struct {
	name      string
	open      opener
	construct func(pool.Config) (pool.Pool, error)
}

// opener makes a pool that is closed, and checked, after the test.
type opener func(testing.TB, pool.Config) pool.Pool

// overKinds runs a test once for each kind of pool.
func overKinds(t *testing.T, name string, test func(t *testing.T, open opener)) {
	for _, k := range kinds {
		t.Run(name+"/"+k.name, func(t *testing.T) { test(t, k.open) })
	}
}

// future is that of a task without a result.
type future = futures.Future[none]

// saturate makes a pool, every worker of which is held by a gate.
func saturate(t testing.TB, open opener, config pool.Config) (pool.Pool, *gate, []*future) {
	t.Helper()
	p, g := open(t, config), newGate(t)
	var held []*future
	for range config.Workers {
		held = append(held, hold.Submit(t.Context(), p, g.address()))
	}
	g.holds(t, config.Workers)
	return p, g, held
}

// submit submits n tasks, each of which doubles its number.
func submit(t testing.TB, p pool.Pool, n int) []*futures.Future[int] {
	t.Helper()
	fs := make([]*futures.Future[int], n)
	for i := range fs {
		fs[i] = double.Submit(t.Context(), p, i)
	}
	return fs
}

// doubled waits for the futures of submit, which must succeed.
func doubled(t testing.TB, fs []*futures.Future[int]) {
	t.Helper()
	for i, f := range fs {
		if got := value(t, f); got != 2*i {
			t.Fatalf("task %d returned %d", i, got)
		}
	}
}

// matches waits for a future that must fail with an error that matches.
func matches[T any](t testing.TB, f *futures.Future[T], targets ...error) {
	t.Helper()
	_, err := result(t, f)
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Errorf("the error is %v, want one that matches %q", err, target)
		}
	}
}

// background makes a call in a goroutine. The function that it returns waits for
// the call's error.
func background(t testing.TB, call func() error) (returned func() error) {
	result := make(chan error, 1)
	go func() { result <- call() }() // leaktest waits for it
	return func() error {
		t.Helper()
		select {
		case err := <-result:
			return err
		case <-time.After(patience):
			t.Fatalf("the call has not returned after %v", patience)
			return nil
		}
	}
}

// shutDown begins a shutdown in the background, and returns when the pool, all of
// whose workers have something to do, refuses tasks.
func shutDown(t testing.TB, ctx context.Context, p pool.Pool, mode pool.ShutdownMode) (returned func() error) {
	t.Helper()
	returned = background(t, func() error { return p.Shutdown(ctx, mode) })
	eventually(t, "the pool refuses tasks", func() bool {
		probe := echo.Submit(context.Background(), p, "")
		return !probe.Cancel() && errors.Is(probe.Err(expired(t)), pool.ErrClosed)
	})
	return returned
}

// expired returns a context that has ended.
func expired(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	t.Cleanup(cancel)
	return ctx
}

// waiting returns how many goroutines are in a function of these tests, and wait
// there for something to happen.
func waiting(function string) (n int) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range bytes.SplitSeq(stacks, []byte("\n\n")) {
		state, frames, _ := bytes.Cut(stack, []byte("\n"))
		waits := bytes.Contains(state, []byte("[select")) || bytes.Contains(state, []byte("[chan receive"))
		if waits && bytes.Contains(frames, []byte("pool_test."+function+"(")) {
			n++
		}
	}
	return n
}
