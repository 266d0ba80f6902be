package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// tries is the argument of tasks that fail a number of times: each attempt leaves
// a line in the file.
type tries struct {
	File string
	Bad  int // attempts that fail
}

// attempt returns which attempt this is, from 1.
func (t tries) attempt() (int, error) {
	if err := appendToFile(t.File, "an attempt"); err != nil {
		return 0, err
	}
	data, err := os.ReadFile(t.File)
	return len(data) / len("an attempt\n"), err
}

var (
	// flaky fails with an error that both sides know, and then returns which attempt
	// it is.
	flaky = pool.NewTask("flaky", flakyRun)
	// stubborn is flaky with a policy of its own.
	stubborn = pool.NewTask("stubborn", flakyRun, pool.WithRetry(soon(5, pool.OnAny)))
	// flakyHang does not return in its first attempts, whatever its context.
	flakyHang = pool.NewTask("flakyHang", func(_ context.Context, t tries) (int, error) {
		n, err := t.attempt()
		if err == nil && n <= t.Bad {
			time.Sleep(2 * time.Second)
		}
		return n, err
	})
	// everyOther fails in its first attempts: in odd ones it does not return.
	everyOther = pool.NewTask("everyOther", func(_ context.Context, t tries) (int, error) {
		n, err := t.attempt()
		if err == nil && n <= t.Bad {
			if n%2 == 1 {
				time.Sleep(2 * time.Second)
			}
			err = errTest
		}
		return n, err
	})
	// impatient is sleepOn with a limit of its own.
	impatient = pool.NewTask("impatient", func(_ context.Context, d time.Duration) (none, error) {
		time.Sleep(d)
		return none{}, nil
	}, pool.WithTimeout(10*time.Millisecond))
	// flakyHold waits at a gate in its first attempts, and fails then.
	flakyHold = pool.NewTask("flakyHold", func(ctx context.Context, address string) (none, error) {
		if err := pass(ctx, address); err != nil {
			return none{}, err
		}
		return none{}, errTest
	})
)

func flakyRun(_ context.Context, t tries) (int, error) {
	n, err := t.attempt()
	if err == nil && n <= t.Bad {
		err = fmt.Errorf("attempt %d: %w", n, errTest)
	}
	return n, err
}

// soon is a policy that does not wait.
func soon(attempts int, on func(error) bool) pool.Retry {
	return pool.Retry{Attempts: attempts, On: on, Backoff: at(0)}
}

// inAnHour is a policy whose delay no test waits for.
func inAnHour(attempts int) pool.Retry {
	return pool.Retry{Attempts: attempts, On: pool.OnAny, Delay: time.Hour}
}

// at returns the same delay each time.
func at(delay time.Duration) func() backoff.BackOff {
	return func() backoff.BackOff { return backoff.NewConstantBackOff(delay) }
}

func failing(t testing.TB, bad int) tries { return tries{t.TempDir() + "/tries", bad} }

func TestRetry(t *testing.T) {
	overKinds(t, "succeeds in a later attempt", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		r := record(t, p)
		f := flaky.Submit(t.Context(), p, failing(t, 2), pool.WithRetry(soon(3, pool.OnAny)))
		if n := value(t, f); n != 3 || f.Attempts() != 3 {
			t.Errorf("attempt %d of %d", n, f.Attempts())
		}
		if s := p.Stats(); s.Retried != 2 || s.Succeeded != 1 || s.Failed != 0 || s.Submitted != 1 {
			t.Errorf("the figures: %+v", s)
		}
		shut(t, p)
		var story []string
		for _, event := range r.whole(t) {
			switch e := event.(type) {
			case pool.TaskBegun:
				story = append(story, fmt.Sprint("begun ", e.Job, e.Attempt))
			case pool.TaskRetried:
				story = append(story, fmt.Sprint("retried ", e.Job, e.Attempt, errors.Is(e.Err, errTest)))
			case pool.TaskSettled:
				story = append(story, fmt.Sprint("settled ", e.Job, e.Attempt, e.Err))
			}
		}
		want := "[begun 1 1 retried 1 1 true begun 1 2 retried 1 2 true begun 1 3 settled 1 3 <nil>]"
		if fmt.Sprint(story) != want {
			t.Errorf("the events: %v", story)
		}
	})

	overKinds(t, "fails when its attempts are used up", func(t *testing.T, open opener) {
		p, argument := open(t, pool.Config{Workers: 1}), failing(t, 10)
		f := flaky.Submit(t.Context(), p, argument, pool.WithRetry(soon(3, pool.OnAny)))
		err := failure[*pool.RetryError](t, f)
		if len(err.Attempts) != 3 || f.Attempts() != 3 || err.Cause != nil || err.Task != "flaky" {
			t.Errorf("got %+v", err)
		}
		for n, a := range err.Attempts {
			own, ok := errors.AsType[*pool.TaskError](a.Err)
			if !ok || own.Err.Error() != fmt.Sprintf("attempt %d: %v", n+1, errTest) || a.Run != own.Run || a.Worker == 0 {
				t.Errorf("attempt %d is told as %+v", n+1, a)
			}
		}
		if last := err.Attempts[2].Err; !errors.Is(err, errTest) || !errors.Is(err, last) {
			t.Errorf("what the error matches: %v", err)
		}
		if s := p.Stats(); s.Failed != 1 || s.Retried != 2 {
			t.Errorf("the figures: %+v", s)
		}
	})

	overKinds(t, "never without a policy, and never beyond one attempt", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		for _, options := range [][]pool.Option{nil, {pool.WithRetry(soon(1, pool.OnAny))}} {
			argument := failing(t, 10)
			f := flaky.Submit(t.Context(), p, argument, options...)
			if _, err := result(t, f); err == nil || f.Attempts() != 1 {
				t.Errorf("got %v after %d attempts", err, f.Attempts())
			} else if _, once := err.(*pool.TaskError); !once {
				t.Errorf("got %T", err)
			}
			if n, err := argument.attempt(); n != 2 {
				t.Errorf("it has run %d times, %v", n-1, err)
			}
		}
	})

	overKinds(t, "only after errors that the policy wants", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		for name, on := range map[string]func(error) bool{"default": nil, "deaths": pool.OnWorkerDeath, "timeouts": pool.OnTimeout} {
			argument := failing(t, 1)
			if _, err := result(t, flaky.Submit(t.Context(), p, argument, pool.WithRetry(soon(9, on)))); !errors.Is(err, errTest) {
				t.Errorf("%s: got %v", name, err)
			} else if _, once := err.(*pool.TaskError); !once {
				t.Errorf("%s: got %T", name, err)
			}
		}
		twice := func(err error) bool {
			return err.Error() != "" && errors.Is(err, errTest) && !errors.Is(err, os.ErrClosed)
		}
		if n := value(t, flaky.Submit(t.Context(), p, failing(t, 1), pool.WithRetry(soon(9, twice)))); n != 2 {
			t.Errorf("it was attempt %d", n)
		}
	})

	overKinds(t, "after a timeout, each attempt with its own limit", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, Grace: pool.NoGrace})
		f := flakyHang.Submit(t.Context(), p, failing(t, 1), pool.WithTimeout(200*time.Millisecond), pool.WithRetry(soon(5, nil)))
		if n := value(t, f); n != f.Attempts() || n < 2 {
			t.Errorf("attempt %d of %d", n, f.Attempts())
		}
	})

	overKinds(t, "by the policy of the task, unless the call has one", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		if n := value(t, stubborn.Submit(t.Context(), p, failing(t, 4))); n != 5 {
			t.Errorf("it was attempt %d", n)
		}
		f := stubborn.Submit(t.Context(), p, failing(t, 4), pool.WithRetry(soon(2, pool.OnAny)))
		if err := failure[*pool.RetryError](t, f); len(err.Attempts) != 2 {
			t.Errorf("got %v", err)
		}
	})

	overKinds(t, "any option of the task holds unless the call has one", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, Grace: pool.NoGrace})
		failure[*pool.TimeoutError](t, impatient.Submit(t.Context(), p, time.Second))
		value(t, impatient.Submit(t.Context(), p, 50*time.Millisecond, pool.WithTimeout(patience)))
		for _, err := range impatient.Map(t.Context(), p, slices.Values([]time.Duration{time.Second})) {
			if _, ok := errors.AsType[*pool.TimeoutError](err); !ok {
				t.Errorf("a map got %v", err)
			}
		}
	})

	overKinds(t, "of each item of a map", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		items := func(yield func(tries) bool) {
			for bad := range 4 {
				if !yield(failing(t, bad)) {
					return
				}
			}
		}
		want := 1
		for n, err := range flaky.Map(t.Context(), p, items, pool.WithRetry(soon(3, pool.OnAny))) {
			if again, ok := errors.AsType[*pool.RetryError](err); n != want && !(want == 4 && ok && len(again.Attempts) == 3) {
				t.Errorf("item %d: attempt %d, %v", want-1, n, err)
			}
			want++
		}
	})

	overKinds(t, "a policy that panics or leaves ends the attempts", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		for name, policy := range map[string]pool.Retry{
			"panic":         soon(3, func(error) bool { panic("a bad policy") }),
			"Goexit":        soon(3, func(error) bool { runtime.Goexit(); return true }),
			"panic, delays": {Attempts: 3, On: pool.OnAny, Backoff: func() backoff.BackOff { panic("a bad policy") }},
			"no delays":     {Attempts: 3, On: pool.OnAny, Backoff: func() backoff.BackOff { return nil }},
		} {
			err := failure[*pool.RetryError](t, flaky.Submit(t.Context(), p, failing(t, 9), pool.WithRetry(policy)))
			if len(err.Attempts) != 1 || err.Cause == nil || !errors.Is(err, errTest) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		stop := pool.Retry{Attempts: 3, On: pool.OnAny, Backoff: func() backoff.BackOff { return &backoff.StopBackOff{} }}
		if _, err := result(t, flaky.Submit(t.Context(), p, failing(t, 9), pool.WithRetry(stop))); !errors.Is(err, errTest) {
			t.Errorf("backoff.Stop: got %v", err)
		}
		doubled(t, submit(t, p, 10))
	})

	overKinds(t, "Close waits for the attempts that are left", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		f := flaky.Submit(t.Context(), p, failing(t, 3),
			pool.WithRetry(pool.Retry{Attempts: 9, On: pool.OnAny, Backoff: at(20 * time.Millisecond)}))
		shut(t, p)
		if n, err := f.Result(expired(t)); n != 4 {
			t.Errorf("got %d, %v", n, err)
		}
	})
}

// between submits a task whose first attempt has failed and whose second is an
// hour away.
func between(t testing.TB, ctx context.Context, p pool.Pool) *futures.Future[int] {
	t.Helper()
	r := record(t, p)
	f := flaky.Submit(ctx, p, failing(t, 9), pool.WithRetry(inAnHour(9)))
	hears(t, r, func(e pool.TaskRetried) bool { return e.Delay > time.Minute })
	return f
}

// TestBetweenAttempts: a task that waits for its next attempt has begun, and can
// be ended.
func TestBetweenAttempts(t *testing.T) {
	ends := func(t testing.TB, f *futures.Future[int], cause error) {
		t.Helper()
		err := failure[*pool.RetryError](t, f)
		if len(err.Attempts) != 1 || !errors.Is(err.Cause, cause) || !errors.Is(err, cause) || !errors.Is(err, errTest) || f.Attempts() != 1 {
			t.Errorf("got %v", err)
		}
	}

	overKinds(t, "it runs and cannot be cancelled; Kill ends it", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		f := between(t, t.Context(), p)
		if f.Cancel() || f.State() != futures.Running {
			t.Errorf("it is %v", f.State())
		}
		doubled(t, submit(t, p, 10)) // it holds no worker
		if !f.Kill() {
			t.Error("it was not killed")
		}
		ends(t, f, pool.ErrKilled)
		if s := p.Stats(); s.Failed != 1 || s.Killed != 1 || s.Cancelled != 0 {
			t.Errorf("the figures: %+v", s)
		}
	})

	overKinds(t, "the end of the caller's context ends it", func(t *testing.T, open opener) {
		reason := errors.New("the reason")
		ctx, cancel := context.WithCancelCause(t.Context())
		f := between(t, ctx, open(t, pool.Config{Workers: 1}))
		cancel(reason)
		ends(t, f, reason)
	})

	overKinds(t, "shutdowns that do not wait end it", func(t *testing.T, open opener) {
		for _, mode := range []pool.ShutdownMode{pool.CancelPending, pool.Kill} {
			p := open(t, pool.Config{Workers: 1})
			f := between(t, t.Context(), p)
			if err := p.Shutdown(t.Context(), mode); err != nil {
				t.Error(err)
			}
			ends(t, f, pool.ErrShutdown)
		}
		p := open(t, pool.Config{Workers: 1})
		f := between(t, t.Context(), p)
		if _, ok := errors.AsType[*pool.ShutdownError](p.Shutdown(expired(t), pool.Drain)); !ok {
			t.Error("it was drained")
		}
		ends(t, f, pool.ErrShutdown)
	})

	overKinds(t, "an attempt that fails while such a shutdown waits is the last", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		f := flakyHold.Submit(t.Context(), p, g.address(), pool.WithRetry(soon(9, pool.OnAny)))
		g.holds(t, 1)
		returned := shutDown(t, t.Context(), p, pool.CancelPending)
		g.open()
		if err := returned(); err != nil {
			t.Error(err)
		}
		if err := failure[*pool.RetryError](t, f); len(err.Attempts) != 1 || !errors.Is(err, pool.ErrShutdown) {
			t.Errorf("got %v", err)
		}
	})

	overKinds(t, "one that waits for a worker again is ended as well", func(t *testing.T, open opener) {
		for name, end := range map[string]func(*futures.Future[int], context.CancelFunc, pool.Pool) error{
			"Kill": func(f *futures.Future[int], _ context.CancelFunc, _ pool.Pool) error { f.Kill(); return pool.ErrKilled },
			"context": func(_ *futures.Future[int], cancel context.CancelFunc, _ pool.Pool) error {
				cancel()
				return context.Canceled
			},
			"shutdown": func(_ *futures.Future[int], _ context.CancelFunc, p pool.Pool) error {
				go p.Shutdown(context.Background(), pool.CancelPending)
				return pool.ErrShutdown
			},
		} {
			p, g := open(t, pool.Config{Workers: 1}), newGate(t)
			r := record(t, p)
			ctx, cancel := context.WithCancel(t.Context())
			decide := make(chan struct{})
			f := flaky.Submit(ctx, p, failing(t, 9), pool.WithRetry(soon(9, func(error) bool { <-decide; return true })))
			hold.Submit(t.Context(), p, g.address())
			g.holds(t, 1) // the worker has taken it after the first attempt
			close(decide)
			hears(t, r, func(pool.TaskRetried) bool { return true })
			eventually(t, "it waits", func() bool { return p.Stats().Queued == 1 })
			if f.Cancel() {
				t.Errorf("%s: it was cancelled", name)
			}
			ends(t, f, end(f, cancel, p))
			cancel()
			g.open()
		}
	})

	overKinds(t, "a policy that does not return harms nobody", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		asked, decide := make(chan struct{}), make(chan struct{})
		defer close(decide)
		f := flaky.Submit(t.Context(), p, failing(t, 9), pool.WithRetry(soon(9, func(error) bool {
			close(asked)
			<-decide
			return true
		})))
		<-asked
		doubled(t, submit(t, p, 10))
		if err := p.Shutdown(t.Context(), pool.Kill); err != nil {
			t.Error(err)
		}
		ends(t, f, pool.ErrShutdown)
	})
}

// TestRetryPolicy: a policy that cannot be fails the call, or panics where the
// task is registered.
func TestRetryPolicy(t *testing.T) {
	p := newGoroutinePool(t, pool.Config{})
	for name, policy := range map[string]pool.Retry{
		"no limit":            {},
		"a negative limit":    {Attempts: -1},
		"a negative delay":    {Attempts: 2, Delay: -1},
		"a negative bound":    {Attempts: 2, MaxDelay: -1},
		"a bound too low":     {Attempts: 2, Delay: 2, MaxDelay: 1},
		"delays of two kinds": {Attempts: 2, Delay: 1, Backoff: at(0)},
	} {
		t.Run(name, func(t *testing.T) {
			err := failure[*pool.ConfigError](t, double.Submit(t.Context(), p, 1, pool.WithRetry(policy)))
			if err.Field != "WithRetry" || err.Reason == "" {
				t.Errorf("got %v", err)
			}
			for _, err := range double.Map(t.Context(), p, func(func(int) bool) {}, pool.WithRetry(policy)) {
				if _, ok := errors.AsType[*pool.ConfigError](err); !ok {
					t.Errorf("a map got %v", err)
				}
			}
			defer func() {
				if recover() == nil {
					t.Error("it was registered")
				}
			}()
			pool.NewTask("of a bad policy", func(context.Context, none) (none, error) { return none{}, nil }, pool.WithRetry(policy))
		})
	}
}
