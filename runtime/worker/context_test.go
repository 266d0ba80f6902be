package worker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A task's context and those derived from it end at the deadline, when the host
// says so, or with the task, and tell which.
func TestTaskContext(t *testing.T) {
	ends := map[string]struct {
		limit time.Duration
		end   error // by the host or with the task, after one second; nil: not
		after time.Duration
		want  error
	}{
		"deadline":              {limit: 500 * time.Millisecond, after: 500 * time.Millisecond, want: context.DeadlineExceeded},
		"deadline by the host":  {limit: time.Hour, end: context.DeadlineExceeded, after: time.Second, want: context.DeadlineExceeded},
		"canceled by the host":  {end: context.Canceled, after: time.Second, want: context.Canceled},
		"deadline, then cancel": {limit: 999 * time.Millisecond, end: context.Canceled, after: 999 * time.Millisecond, want: context.DeadlineExceeded},
		"cancel, then deadline": {limit: 1001 * time.Millisecond, end: context.Canceled, after: time.Second, want: context.Canceled},
	}
	type key struct{}
	derive := map[string]func(context.Context) (context.Context, context.CancelFunc){
		"itself":     func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} },
		"WithCancel": context.WithCancel,
		"WithTimeout": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Hour)
		},
		"WithValue": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithValue(ctx, key{}, 1), func() {}
		},
		"a grandchild": func(ctx context.Context) (context.Context, context.CancelFunc) {
			child, cancel := context.WithCancel(ctx)
			grandchild, cancelIt := context.WithCancel(child)
			return grandchild, func() { cancelIt(); cancel() }
		},
		"asked by Done": func(ctx context.Context) (context.Context, context.CancelFunc) { ctx.Done(); return ctx, func() {} },
	}
	for name, test := range ends {
		for kind, derive := range derive {
			t.Run(name+", "+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					begun := time.Now()
					task := newTaskContext(context.Background(), 1, begun, test.limit)
					ctx, cancel := derive(task)
					defer cancel()
					if ctx.Err() != nil {
						t.Fatalf("it has ended: %v", ctx.Err())
					}
					if test.end != nil {
						time.AfterFunc(time.Second, func() { task.end(test.end) })
					}
					<-ctx.Done()
					if took := time.Since(begun); took != test.after {
						t.Errorf("it ended after %v, want %v", took, test.after)
					}
					if ctx.Err() != test.want || context.Cause(ctx) != test.want {
						t.Errorf("it ended with %v, cause %v, want %v", ctx.Err(), context.Cause(ctx), test.want)
					}
					time.Sleep(time.Hour)
					if ctx.Err() != test.want {
						t.Errorf("later it says %v", ctx.Err())
					}
				})
			})
		}
	}
}

// Who asks only after the end gets the same answers.
func TestTaskContextAskedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		task := newTaskContext(context.Background(), 1, time.Now(), time.Minute)
		task.end(context.Canceled)
		time.Sleep(time.Hour)
		<-task.Done()
		child, cancel := context.WithCancel(task)
		defer cancel()
		<-child.Done()
		called := make(chan struct{})
		if stop := context.AfterFunc(task, func() { close(called) }); stop() {
			t.Error("what follows the end could be stopped")
		}
		<-called
		if stop := task.AfterFunc(func() {}); stop() {
			t.Error("what follows the end could be stopped")
		}
		if task.Err() != context.Canceled || child.Err() != context.Canceled {
			t.Errorf("%v, %v", task.Err(), child.Err())
		}
	})
}

func TestTaskContextAfterFunc(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		task := newTaskContext(context.Background(), 1, time.Now(), time.Second)
		var called [3]int
		for i := range called {
			stop := task.AfterFunc(func() { called[i]++ })
			if i == 1 && (!stop() || stop()) {
				t.Error("it can be stopped once")
			}
			if i == 2 {
				defer func() {
					if stop() {
						t.Error("it was stopped after it was called")
					}
				}()
			}
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if called != [3]int{1, 0, 1} {
			t.Errorf("called %v times", called)
		}
	})
}

// A context that nobody asks has no timer, and a derived one needs no goroutine.
func TestTaskContextCostsNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		newTaskContext(context.Background(), 1, time.Now(), time.Minute).end(context.Canceled)
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
	synctest.Test(t, func(t *testing.T) {
		task := newTaskContext(context.Background(), 1, time.Now(), 0)
		for range 100 {
			_, cancel := context.WithCancel(task)
			defer cancel()
		}
		if n := len(task.after); n != 100 {
			t.Errorf("%d of 100 contexts found AfterFunc", n)
		}
	})
	// Who prints a context does not read it behind its lock.
	if s := fmt.Sprintf("%v", newTaskContext(context.Background(), 1, time.Now(), 0)); s != "worker.taskContext" {
		t.Errorf("printed as %s", s)
	}
}

// Whoever ends it, asks it and derives from it at the same time: it ends once,
// and all learn the same.
func TestTaskContextHammer(t *testing.T) {
	for range 500 {
		task := newTaskContext(context.Background(), 1, time.Now(), rand.N(200*time.Microsecond))
		var all sync.WaitGroup
		answers := make([]error, 8)
		for i := range answers {
			all.Go(func() {
				ctx, cancel := context.WithCancel(task)
				defer cancel()
				called := make(chan struct{})
				defer context.AfterFunc(ctx, func() { close(called) })()
				switch i {
				case 0:
					task.end(context.Canceled)
				case 1:
					task.end(context.DeadlineExceeded)
				}
				<-ctx.Done()
				<-called
				answers[i] = ctx.Err()
			})
		}
		all.Wait()
		for _, answer := range answers {
			if answer == nil || answer != task.Err() {
				t.Fatalf("answers %v, the task's %v", answers, task.Err())
			}
		}
	}
}
