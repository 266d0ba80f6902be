package pool_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor/leaktest"
)

// logConfig says where a worker's notebook is kept, and what goes wrong with it.
type logConfig struct {
	File   string // gets a line for each notebook that is opened and closed
	Open   string // how it goes wrong to open one: see misbehave
	OnlyIf string // but only while there is this file
	Close  string // how it goes wrong to close one
	Gate   string // where what hangs waits
}

// notebook is what each worker of a test keeps for its tasks.
type notebook struct {
	config logConfig
	lines  int // that were written, by its one worker
}

var notebooks = pool.NewState("notebook", openNotebook, closeNotebook)

func openNotebook(ctx context.Context, c logConfig) (*notebook, error) {
	if c.Open == "hang" {
		return nil, c.misbehave(ctx, c.Open) // it outlives its test, whose directory it leaves alone
	}
	if err := appendToFile(c.File, "open"); err != nil {
		return nil, err
	}
	if _, err := os.Stat(c.OnlyIf); c.OnlyIf != "" && err != nil {
		c.Open = ""
	}
	return &notebook{config: c}, c.misbehave(ctx, c.Open)
}

func closeNotebook(ctx context.Context, n *notebook) error {
	if err := n.config.misbehave(ctx, n.config.Close); err != nil {
		return err
	}
	return appendToFile(n.config.File, "close")
}

// misbehave goes wrong in one of the ways in which a state's functions can.
func (c logConfig) misbehave(ctx context.Context, how string) error {
	switch how {
	case "error":
		return errors.New("on purpose")
	case "known":
		return errTest
	case "panic":
		panic("in a state's function")
	case "goexit":
		runtime.Goexit()
	case "heed":
		<-ctx.Done()
		return ctx.Err()
	case "hang":
		return errors.Join(pass(context.Background(), c.Gate), errors.New("it was released"))
	case "exit": // of the process
		os.Stderr.WriteString("no licence found\n")
		os.Exit(3)
	}
	return nil
}

// note writes a line into its worker's notebook, and returns how many it has now.
var note = pool.NewTask("note", func(ctx context.Context, _ none) (int, error) {
	n, err := notebooks.From(ctx)
	if err != nil {
		return 0, err
	}
	n.lines++
	return n.lines, nil
})

// others is a state that no pool of these tests has, unless told otherwise.
var others = pool.NewState("other", func(_ context.Context, n int) (int, error) { return n, nil }, nil)

// TestState: each worker has its state before its first task, and for all of
// them; it ends when the worker leaves.
func TestState(t *testing.T) {
	overKinds(t, "PY-PP-11", func(t *testing.T, open opener) {
		file := t.TempDir() + "/log"
		p, g, held := saturate(t, open, pool.Config{Workers: 3, Initializer: notebooks.With(logConfig{File: file})})
		if got := lines(t, file); !slices.Equal(got, []string{"open", "open", "open"}) {
			t.Errorf("all workers have a task, and %q was done", got)
		}
		g.open()
		for _, f := range held {
			value(t, f)
		}
		const tasks = 60
		most := 0
		for range tasks {
			most = max(most, value(t, note.Submit(t.Context(), p, none{})))
		}
		if most < tasks/3 {
			t.Errorf("%d tasks on 3 workers, and the fullest notebook has %d lines", tasks, most)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if got := lines(t, file)[3:]; !slices.Equal(got, []string{"close", "close", "close"}) {
			t.Errorf("the pool is closed, and %q was done", got)
		}
	})
	overKinds(t, "as the configuration says", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1, Initializer: others.With(4)})
		if got := value(t, other.Submit(t.Context(), p, none{})); got != 4 {
			t.Errorf("got %d", got)
		}
		missing := failure[*pool.TaskError](t, note.Submit(t.Context(), p, none{}))
		if text := missing.Error(); !strings.Contains(text, `"notebook"`) || !strings.Contains(text, `"other"`) {
			t.Errorf("got %v", missing)
		}
		none := failure[*pool.TaskError](t, note.Submit(t.Context(), open(t, pool.Config{}), struct{}{}))
		if text := none.Error(); !strings.Contains(text, `"notebook"`) || !strings.Contains(text, "Config.Initializer") {
			t.Errorf("got %v", none)
		}
	})
	t.Run("a context of no task", func(t *testing.T) {
		var missing *pool.StateError
		if _, err := notebooks.From(t.Context()); !errors.As(err, &missing) || missing.State != "notebook" || missing.Has != "" {
			t.Errorf("got %v", err)
		}
	})
}

var other = pool.NewTask("other", func(ctx context.Context, _ none) (int, error) { return others.From(ctx) })

// TestInitializerFails: the constructor says why, at once, and leaves nothing.
func TestInitializerFails(t *testing.T) {
	for how, want := range map[string]struct {
		words   string
		matches error
	}{
		"error":  {words: "on purpose"},
		"known":  {matches: errTest},
		"panic":  {words: "panic: in a state's function"},
		"goexit": {matches: pool.ErrGoexit},
		"heed":   {matches: context.DeadlineExceeded},
		"hang":   {matches: context.DeadlineExceeded},
	} {
		overConstructors(t, "PY-TP-3 PY-PP-12 "+how, func(t *testing.T, construct func(pool.Config) (pool.Pool, error)) {
			leaktest.Check(t)
			file, g := t.TempDir()+"/log", newGate(t)
			config := pool.Config{
				Workers: 3, Logger: slog.New(slog.DiscardHandler), Stderr: io.Discard,
				Initializer: notebooks.With(logConfig{File: file, Open: how, Gate: g.address()}),
			}
			if how == "heed" || how == "hang" {
				config.StartTimeout = time.Second
			}
			begin := time.Now()
			_, err := construct(config)
			var broken *pool.BrokenError
			var failed *pool.InitializerError
			if !errors.As(err, &broken) || !errors.Is(err, pool.ErrBroken) || !errors.As(err, &failed) {
				t.Fatalf("got %T: %v", err, err)
			}
			if failed.State != "notebook" || failed.Worker == 0 || failed.Elapsed <= 0 || !strings.Contains(err.Error(), `"notebook"`) {
				t.Errorf("got %+v", failed)
			}
			if want.matches != nil && !errors.Is(err, want.matches) || !strings.Contains(err.Error(), want.words) {
				t.Errorf("got %v", err)
			}
			if n := len(lines(t, file)); n > config.Workers {
				t.Errorf("it was tried %d times", n)
			}
			if took := time.Since(begin); took > patience/2 {
				t.Errorf("it took %v", took)
			}
			t.Log(err)
		})
	}
}

// TestInitializerFailsLater: once a worker was ready, failures are counted, and
// too many break the pool; tasks that wait fail then.
func TestInitializerFailsLater(t *testing.T) {
	overKinds(t, "PY-TP-3", func(t *testing.T, open opener) {
		file, failing := t.TempDir()+"/log", t.TempDir()+"/failing"
		p := open(t, pool.Config{Workers: 1, MaxFailures: 3, Logger: slog.New(slog.DiscardHandler), Initializer: notebooks.With(logConfig{File: file, Open: "error", OnlyIf: failing})})
		value(t, note.Submit(t.Context(), p, none{}))
		if err := appendToFile(failing, "now"); err != nil {
			t.Fatal(err)
		}
		endWorker(t, p)
		err := failure[*pool.BrokenError](t, note.Submit(t.Context(), p, none{}))
		if _, ok := errors.AsType[*pool.InitializerError](err); !ok || !strings.Contains(err.Error(), "on purpose") {
			t.Errorf("got %v", err)
		}
		if n := opened(t, file); n != 1+3 {
			t.Errorf("it was tried %d times", n)
		}
		failure[*pool.BrokenError](t, note.Submit(t.Context(), p, none{}))
	})
	overKinds(t, "for a while", func(t *testing.T, open opener) {
		file, failing := t.TempDir()+"/log", t.TempDir()+"/failing"
		p := open(t, pool.Config{Workers: 1, MaxFailures: 100, Logger: slog.New(slog.DiscardHandler), Initializer: notebooks.With(logConfig{File: file, Open: "error", OnlyIf: failing})})
		if err := appendToFile(failing, "now"); err != nil {
			t.Fatal(err)
		}
		endWorker(t, p)
		f := note.Submit(t.Context(), p, none{})
		eventually(t, "it is tried again", func() bool { return opened(t, file) >= 3 })
		if err := os.Remove(failing); err != nil {
			t.Fatal(err)
		}
		if got := value(t, f); got != 1 {
			t.Errorf("the new worker's notebook has %d lines", got)
		}
	})
}

// opened returns how many notebooks were opened.
func opened(t testing.TB, file string) (n int) {
	for _, line := range lines(t, file) {
		if line == "open" {
			n++
		}
	}
	return n
}

// endWorker ends a worker of the pool, or the only one.
func endWorker(t testing.TB, p pool.Pool) {
	t.Helper()
	f := running(t, hold.Submit(t.Context(), p, newGate(t).address()))
	f.Kill()
	failure[*pool.KilledError](t, f)
}

// overConstructors is overKinds for pools that are never there.
func overConstructors(t *testing.T, name string, test func(t *testing.T, construct func(pool.Config) (pool.Pool, error))) {
	for _, k := range kinds {
		t.Run(name+"/"+k.name, func(t *testing.T) { test(t, k.construct) })
	}
}

// TestFinalizerFails: nobody hears of it but the log.
func TestFinalizerFails(t *testing.T) {
	for _, how := range []string{"error", "panic", "goexit", "heed", "hang"} {
		overKinds(t, how, func(t *testing.T, open opener) {
			said := &lockedBuffer{}
			p := open(t, pool.Config{
				Workers: 1, StopTimeout: 100 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(said, nil)),
				Initializer: notebooks.With(logConfig{File: t.TempDir() + "/log", Close: how, Gate: newGate(t).address()}),
			})
			value(t, note.Submit(t.Context(), p, none{}))
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			if text := said.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, "worker=1") {
				t.Errorf("the log: %s", text)
			}
		})
	}
}
