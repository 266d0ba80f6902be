package pool_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// step is what tasks report in these tests.
type step struct {
	Done int
	Note string
}

// counting is the argument of count.
type counting struct {
	To   int
	Gate string // to hold at, when it has counted
}

var (
	// count reports each number, and holds at a gate if there is one.
	count = pool.NewTask("count", func(ctx context.Context, c counting) (int, error) {
		for n := 1; n <= c.To; n++ {
			if err := pool.Report(ctx, step{Done: n, Note: "counted"}); err != nil {
				return n, err
			}
		}
		if c.Gate != "" {
			return c.To, pass(ctx, c.Gate)
		}
		return c.To, nil
	})
	// reportsOn leaves a goroutine behind that reports until it is refused, and
	// writes the error to a file.
	reportsOn = pool.NewTask("reportsOn", func(ctx context.Context, file string) (none, error) {
		go func() {
			for {
				if err := pool.Report(ctx, 1); err != nil {
					_ = appendToFile(file, err.Error())
					return
				}
			}
		}()
		return none{}, nil
	})
	// slowReports gives signs of life by reports alone, and notes them in a file.
	slowReports = pool.NewTask("slowReports", func(ctx context.Context, noted string) (none, error) {
		s, err := noteSigns(noted)
		if err != nil {
			return none{}, err
		}
		defer s.file.Close()
		for time.Since(s.from) < time.Second {
			if err := s.give(func() error { return pool.Report(ctx, time.Since(s.from)) }); err != nil {
				return none{}, err
			}
			time.Sleep(5 * time.Millisecond)
		}
		return none{}, nil
	})
	reportText = pool.NewTask("reportText", func(ctx context.Context, s string) (none, error) {
		return none{}, pool.Report(ctx, s)
	})
)

// TestReport: a future tells what its task has reported last, while it runs and
// afterwards.
func TestReport(t *testing.T) {
	overKinds(t, "the latest counts", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		f := count.Submit(t.Context(), p, counting{To: 1000, Gate: g.address()})
		eventually(t, "the last report has come", func() bool {
			s, err := pool.Progress[step](f)
			return err == nil && s == step{1000, "counted"}
		})
		if f.State() != futures.Running {
			t.Errorf("the future is %v", f.State())
		}
		g.open()
		value(t, f)
		if s, err := pool.Progress[step](f); err != nil || s.Done != 1000 {
			t.Errorf("afterwards: %v, %v", s, err)
		}
	})
	overKinds(t, "the last comes before the result", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		for n := range 100 {
			f := count.Submit(t.Context(), p, counting{To: n + 1})
			value(t, f)
			if s, err := pool.Progress[step](f); err != nil || s.Done != n+1 {
				t.Fatalf("of %d: %v, %v", n+1, s, err)
			}
		}
	})
	overKinds(t, "of a task that was killed", func(t *testing.T, open opener) {
		p, g := open(t, pool.Config{Workers: 1}), newGate(t)
		f := count.Submit(t.Context(), p, counting{To: 3, Gate: g.address()})
		g.holds(t, 1)
		eventually(t, "the last report has come", func() bool { s, _ := pool.Progress[step](f); return s.Done == 3 })
		f.Kill()
		failure[*pool.KilledError](t, f)
		if s, err := pool.Progress[step](f); err != nil || s.Done != 3 {
			t.Errorf("got %v, %v", s, err)
		}
	})
	overKinds(t, "a report is a sign of life", func(t *testing.T, open opener) {
		const limit = 300 * time.Millisecond
		p := open(t, pool.Config{Workers: 1, SilenceTimeout: limit})
		untilUndisturbed(t, func() bool {
			noted := t.TempDir() + "/signs"
			_, err := result(t, slowReports.Submit(t.Context(), p, noted))
			return outlives(t, noted, err, limit)
		})
	})
}

// TestReportRefused: what cannot be reported, and what cannot be read.
func TestReportRefused(t *testing.T) {
	if err := pool.Report(t.Context(), 1); !errors.Is(err, pool.ErrNoTask) {
		t.Errorf("outside of any task: %v", err)
	}
	overKinds(t, "of a task that is over", func(t *testing.T, open opener) {
		file := t.TempDir() + "/error"
		f := reportsOn.Submit(t.Context(), open(t, pool.Config{Workers: 1}), file)
		value(t, f)
		var text string
		eventually(t, "it is refused", func() bool { text = strings.Join(lines(t, file), ""); return text != "" })
		if text != pool.ErrNoTask.Error() {
			t.Errorf("got %q", text)
		}
	})
	overKinds(t, "nothing was reported", func(t *testing.T, open opener) {
		f := double.Submit(t.Context(), open(t, pool.Config{Workers: 1}), 1)
		value(t, f)
		if _, err := pool.Progress[int](f); !errors.Is(err, pool.ErrNoProgress) {
			t.Errorf("got %v", err)
		}
	})
	overKinds(t, "something else was reported", func(t *testing.T, open opener) {
		f := reportText.Submit(t.Context(), open(t, pool.Config{Workers: 1}), "text")
		value(t, f)
		n, err := pool.Progress[int](f)
		if bad, ok := errors.AsType[*pool.CodecError](err); !ok || n != 0 || bad.Task != "reportText" || bad.What != "progress" {
			t.Errorf("got %d, %v", n, err)
		}
		if s, err := pool.Progress[string](f); err != nil || s != "text" {
			t.Errorf("got %q, %v", s, err)
		}
	})
	overKinds(t, "no function for it", func(t *testing.T, open opener) {
		f := double.Submit(t.Context(), open(t, pool.Config{Workers: 1}), 1, pool.WithProgress[int](nil))
		if err := failure[*pool.ConfigError](t, f); err.Field != "WithProgress" {
			t.Errorf("got %v", err)
		}
	})
}

// listener keeps what WithProgress tells it.
type listener struct {
	mu     sync.Mutex
	told   []int
	within int // calls at the same time
	most   int
}

func (l *listener) hear(s step) {
	l.enter(1)
	defer l.enter(-1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, s.Done)
}

func (l *listener) enter(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.within += n
	l.most = max(l.most, l.within)
}

func (l *listener) heard() []int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.told)
}

// TestWithProgress: reports are told in their order, one after another, the last
// in any case; a slow listener hears the latest, and delays nobody.
func TestWithProgress(t *testing.T) {
	const n = 2000
	lastTold := func(t *testing.T, l *listener) []int {
		eventually(t, "the last report is told", func() bool {
			told := l.heard()
			return len(told) > 0 && told[len(told)-1] == n
		})
		told := l.heard()
		if !slices.IsSorted(told) || len(slices.Compact(slices.Clone(told))) != len(told) || l.most != 1 {
			t.Errorf("%d at a time; told: %v", l.most, told)
		}
		return told
	}
	overKinds(t, "in their order", func(t *testing.T, open opener) {
		l := &listener{}
		value(t, count.Submit(t.Context(), open(t, pool.Config{Workers: 1}), counting{To: n}, pool.WithProgress(l.hear)))
		lastTold(t, l)
	})
	overKinds(t, "to a slow listener", func(t *testing.T, open opener) {
		l, release := &listener{}, make(chan struct{})
		f := count.Submit(t.Context(), open(t, pool.Config{Workers: 1}), counting{To: n}, pool.WithProgress(func(s step) {
			<-release
			l.hear(s)
		}))
		value(t, f)
		close(release)
		if told := lastTold(t, l); len(told) > 2 {
			t.Errorf("a listener who slept over all of them was told %v", told)
		}
	})
	overKinds(t, "to one that panics and leaves", func(t *testing.T, open opener) {
		l := &listener{}
		calls := 0
		value(t, count.Submit(t.Context(), open(t, pool.Config{Workers: 1}), counting{To: n}, pool.WithProgress(func(s step) {
			l.hear(s)
			if calls++; calls%2 == 0 {
				panic("on purpose")
			}
			runtime.Goexit()
		})))
		lastTold(t, l)
	})
	overKinds(t, "of each item of a map", func(t *testing.T, open opener) {
		l := &listener{}
		items := slices.Values([]counting{{To: 1}, {To: 1}, {To: 1}})
		for _, err := range count.Map(t.Context(), open(t, pool.Config{Workers: 1}), items, pool.WithProgress(l.hear)) {
			if err != nil {
				t.Error(err)
			}
		}
		eventually(t, "all are told", func() bool { return len(l.heard()) == 3 })
	})
}
