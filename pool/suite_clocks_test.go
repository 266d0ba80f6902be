package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// beating is the argument of beats.
type beating struct {
	Every, For time.Duration
	Then       time.Duration // silence after that
	Signs      string        // the file in which they are noted
}

var (
	// beats gives signs of life for a while, and then none.
	beats = pool.NewTask("beats", func(ctx context.Context, b beating) (none, error) {
		s, err := noteSigns(b.Signs)
		if err != nil {
			return none{}, err
		}
		defer s.file.Close()
		for time.Since(s.from) < b.For {
			if err := s.give(func() error { pool.Heartbeat(ctx); return nil }); err != nil {
				return none{}, err
			}
			time.Sleep(b.Every)
		}
		time.Sleep(b.Then)
		return none{}, nil
	})
	// strayBeats leaves a goroutine behind that beats on.
	strayBeats = pool.NewTask("strayBeats", func(ctx context.Context, d time.Duration) (none, error) {
		pool.Heartbeat(ctx)
		go func() {
			for from := time.Now(); time.Since(from) < d; time.Sleep(time.Millisecond) {
				pool.Heartbeat(ctx)
			}
		}()
		return none{}, nil
	})
)

// signs notes in a file when a task has given signs of life: a machine that stands
// still silences it, too.
type signs struct {
	file *os.File
	from time.Time // the task's beginning
}

func noteSigns(name string) (*signs, error) {
	from := time.Now()
	f, err := os.Create(name) // once: a goroutine that was given up must not make it anew
	return &signs{f, from}, err
}

// give gives a sign of life, and notes between which moments.
func (s *signs) give(sign func() error) error {
	before := time.Since(s.from)
	err := sign()
	_, noted := fmt.Fprintf(s.file, "%d %d\n", before, time.Since(s.from))
	return errors.Join(err, noted)
}

// silence returns for how long a task that has ended after some time can have been
// silent, by what it has noted.
func silence(t *testing.T, name string, elapsed time.Duration) (longest time.Duration) {
	t.Helper()
	var first, last time.Duration
	for i, line := range lines(t, name) {
		var before, after time.Duration
		if _, err := fmt.Sscan(line, &before, &after); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if i == 0 {
			first = after
		}
		longest, last = max(longest, after-last), before
	}
	unknown := max(elapsed-last, 0) // before its first line and after the last sign
	return max(longest, first+unknown)
}

// outlives asserts that a task that gives signs of life has not failed; false: it was
// ended for a silence that there can have been.
func outlives(t *testing.T, noted string, err error, limit time.Duration) bool {
	t.Helper()
	if silent, ok := errors.AsType[*pool.SilenceError](err); ok && silence(t, noted, silent.Elapsed) >= limit {
		return false
	}
	if err != nil {
		t.Errorf("it gave signs of life, and failed: %v", err)
	}
	return true
}

// untilUndisturbed makes rounds of a test until one was not disturbed: such a one,
// by the test's own clock, decides nothing.
func untilUndisturbed(t *testing.T, round func() (undisturbed bool)) {
	t.Helper()
	for deadline := time.Now().Add(patience); !round(); {
		if time.Now().After(deadline) {
			t.Fatalf("every round in %v was disturbed", patience)
		}
		t.Log("the round was disturbed")
	}
}

// TestQueueTimeout: what waits for too long to be begun is cancelled, and says
// how long it has waited; what has begun is left alone.
func TestQueueTimeout(t *testing.T) {
	const limit = 50 * time.Millisecond
	overKinds(t, "in the queue", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1, QueueTimeout: limit}), newGate(t)
		held := hold.Submit(t.Context(), p, g.address(), pool.WithQueueTimeout(0)) // however late its worker begins it
		g.holds(t, 1)
		late := submit(t, p, 20)
		patient := double.Submit(t.Context(), p, 3, pool.WithQueueTimeout(0))
		later := double.Submit(t.Context(), p, 3, pool.WithQueueTimeout(3*limit))
		for _, f := range append(late, later) {
			err := failure[*pool.QueueTimeoutError](t, f)
			if err.Task != "double" || err.Waited < err.Limit || err.Limit < limit || !strings.Contains(err.Error(), err.Limit.String()) {
				t.Errorf("got %+v", err)
			}
			if f.State() != futures.Cancelled {
				t.Errorf("the future is %v", f.State())
			}
			matches(t, f, futures.ErrCancelled, context.DeadlineExceeded)
		}
		if held.State() != futures.Running || patient.State() != futures.Pending {
			t.Errorf("the held task is %v, the one without a limit %v", held.State(), patient.State())
		}
		g.open()
		value(t, held)
		if got := value(t, patient); got != 6 {
			t.Errorf("got %d", got)
		}
		if s := p.Stats(); s.Cancelled != 21 || s.Failed != 0 {
			t.Errorf("the figures: %+v", s)
		}
	})
	overKinds(t, "in a bounded queue", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1, Queue: 1, WhenFull: pool.Refuse})
		for range 3 {
			failure[*pool.QueueTimeoutError](t, double.Submit(t.Context(), p, 1, pool.WithQueueTimeout(time.Millisecond)))
		}
		g.open()
	})
	overKinds(t, "of tasks that are begun in time", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2, QueueTimeout: patience})
		doubled(t, submit(t, p, 2000))
	})
	overKinds(t, "with limits in any order", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1})
		var fs []*futures.Future[int]
		for n := range 50 {
			fs = append(fs, double.Submit(t.Context(), p, n, pool.WithQueueTimeout(time.Duration(1+n*37%50)*time.Millisecond)))
		}
		cancelled := fs[7].Cancel()
		for n, f := range fs {
			if n != 7 || !cancelled {
				failure[*pool.QueueTimeoutError](t, f)
			}
		}
		g.open()
	})
}

// TestSilence: a running task is ended when it has given no sign of life for its
// limit, however long it has run.
func TestSilence(t *testing.T) {
	t.Parallel()
	const limit = 300 * time.Millisecond
	overKinds(t, "a hung task", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, SilenceTimeout: limit, Grace: 10 * time.Millisecond})
		f := sleepOn.Submit(t.Context(), p, 2*time.Second)
		after := double.Submit(t.Context(), p, 4)
		err := failure[*pool.SilenceError](t, f)
		if err.Limit != limit || err.Elapsed < limit || err.Task != "sleepOn" || err.Worker == 0 || err.Err != nil || !err.Timeout() {
			t.Errorf("got %+v", err)
		}
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, pool.ErrKilled) {
			t.Errorf("what the error matches: %v", err)
		}
		if got := value(t, after); got != 8 {
			t.Errorf("the task behind it: %d", got)
		}
		if s := p.Stats(); s.TimedOut != 1 {
			t.Errorf("the figures: %+v", s)
		}
	})
	overKinds(t, "one that beats", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, SilenceTimeout: limit})
		untilUndisturbed(t, func() bool {
			noted := t.TempDir() + "/signs"
			_, err := result(t, beats.Submit(t.Context(), p, beating{Every: limit / 30, For: 3 * limit, Signs: noted}))
			return outlives(t, noted, err, limit)
		})
	})
	overKinds(t, "one that stops beating", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, Grace: 10 * time.Millisecond})
		untilUndisturbed(t, func() bool {
			noted := t.TempDir() + "/signs"
			f := beats.Submit(t.Context(), p, beating{Every: limit / 30, For: 2 * limit, Then: 2 * time.Second, Signs: noted}, pool.WithSilenceTimeout(limit))
			err := failure[*pool.SilenceError](t, f)
			return err.Elapsed >= 2*limit || outlives(t, noted, err, limit)
		})
	})
	overKinds(t, "one that is over its deadline first", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, SilenceTimeout: patience, Grace: 10 * time.Millisecond})
		failure[*pool.TimeoutError](t, sleepOn.Submit(t.Context(), p, 2*time.Second, pool.WithTimeout(limit)))
		failure[*pool.SilenceError](t, sleepOn.Submit(t.Context(), p, 2*time.Second, pool.WithTimeout(patience), pool.WithSilenceTimeout(limit)))
		value(t, sleepOn.Submit(t.Context(), p, 2*limit, pool.WithSilenceTimeout(0)))
	})
	overKinds(t, "the beats of another task", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, Grace: 10 * time.Millisecond})
		value(t, strayBeats.Submit(t.Context(), p, time.Second))
		failure[*pool.SilenceError](t, sleepOn.Submit(t.Context(), p, 2*time.Second, pool.WithSilenceTimeout(limit)))
	})
	overKinds(t, "many short tasks", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2, SilenceTimeout: patience, TaskTimeout: patience})
		doubled(t, submit(t, p, 2000))
	})
	pool.Heartbeat(t.Context()) // of no task
}
