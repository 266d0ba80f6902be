//go:build unix

package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// output is what say writes.
type output struct {
	Stderr bool
	Text   string
	Times  int
}

// say writes a text to its worker's standard output or standard error, several
// times, each in as many writes as it takes.
var say = pool.NewTask("say", func(_ context.Context, o output) (none, error) {
	to := os.Stdout
	if o.Stderr {
		to = os.Stderr
	}
	for range o.Times {
		for part := range slices.Chunk([]byte(o.Text), 3000) {
			if _, err := to.Write(part); err != nil {
				return none{}, err
			}
		}
	}
	return none{}, nil
})

// both runs a test for each of the two streams.
func both(t *testing.T, test func(t *testing.T, stderr bool, config func(io.Writer) pool.Config)) {
	t.Run("stdout", func(t *testing.T) {
		test(t, false, func(w io.Writer) pool.Config { return pool.Config{Workers: 1, Stdout: w} })
	})
	t.Run("stderr", func(t *testing.T) {
		test(t, true, func(w io.Writer) pool.Config { return pool.Config{Workers: 1, Stderr: w} })
	})
}

// TestOutputIsWhole: lines of workers that all write at the same time come whole,
// and one call at a time.
func TestOutputIsWhole(t *testing.T) {
	const workers, times = 4, 10_000
	both(t, func(t *testing.T, stderr bool, config func(io.Writer) pool.Config) {
		var all bytes.Buffer // without a lock of its own
		c := config(&all)
		c.Workers = workers
		p := newProcessPool(t, c)
		eventually(t, "all are ready", func() bool { return p.Stats().Ready == workers })
		var fs []*future
		for i := range workers {
			line := strings.Repeat(string(rune('a'+i)), 50+i*1200) + "\n" // the longer ones take two writes
			fs = append(fs, say.Submit(t.Context(), p, output{stderr, line, times}))
		}
		for _, f := range fs {
			value(t, f)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		counts := make(map[string]int)
		for line := range strings.Lines(all.String()) {
			if line = strings.TrimSuffix(line, "\n"); line != strings.Repeat(line[:1], len(line)) || len(line) != 50+int(line[0]-'a')*1200 {
				t.Fatalf("a broken line of %d: %.100q", len(line), line)
			}
			counts[line[:1]]++
		}
		for i := range workers {
			if n := counts[string(rune('a'+i))]; n != times {
				t.Errorf("%d lines of worker %d", n, i)
			}
		}
	})
	t.Run("one writer for both", func(t *testing.T) {
		var all bytes.Buffer
		p := newProcessPool(t, pool.Config{Workers: 2, Stdout: &all, Stderr: &all})
		for i := range 100 {
			value(t, say.Submit(t.Context(), p, output{i%2 == 0, "a line\n", 10}))
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if got := all.String(); got != strings.Repeat("a line\n", 1000) {
			t.Errorf("%d bytes, or another text", len(got))
		}
	})
}

// TestEachLine: a function is told whose line it is.
func TestEachLine(t *testing.T) {
	both(t, func(t *testing.T, stderr bool, config func(io.Writer) pool.Config) {
		var told []pool.Line
		p := newProcessPool(t, config(pool.NewLineWriter(func(l pool.Line) { told = append(told, l) })))
		pid := workerPID(t, p)
		value(t, say.Submit(t.Context(), p, output{stderr, "one\n\ntwo \x1b[31m\r\nand", 1}))
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		var want []pool.Line
		for i, text := range []string{"one", "", "two \x1b[31m\r", "and"} {
			want = append(want, pool.Line{Worker: 1, PID: pid, Task: "say", Stderr: stderr, Text: text, Cut: i == 3})
		}
		if !slices.Equal(told, want) {
			t.Errorf("told %+v, want %+v", told, want)
		}
	})

	t.Run("what its worker wrote before it died", func(t *testing.T) {
		var told []pool.Line
		p := newProcessPool(t, pool.Config{Workers: 1, Stderr: pool.NewLineWriter(func(l pool.Line) { told = append(told, l) })})
		err := failure[*pool.WorkerError](t, complain.Submit(t.Context(), p, "woe\nis me"))
		want := []pool.Line{
			{Worker: 1, PID: err.PID, Task: "complain", Stderr: true, Text: "woe"},
			{Worker: 1, PID: err.PID, Task: "complain", Stderr: true, Text: "is me", Cut: true},
		}
		if !slices.Equal(told, want) || err.Stderr != "woe\nis me" {
			t.Errorf("told %+v, want %+v; kept %q", told, want, err.Stderr)
		}
	})

	t.Run("a program may write to it, too", func(t *testing.T) {
		var told []string
		w := pool.NewLineWriter(func(l pool.Line) {
			told = append(told, l.Text)
			if l.Text == "panic" {
				panic("on purpose")
			}
		})
		if n, err := io.WriteString(w, "one\npanic\ntwo"); n != 13 || err != nil {
			t.Error(n, err)
		}
		if !slices.Equal(told, []string{"one", "panic", "two"}) {
			t.Errorf("told %q", told)
		}
	})
}

// TestLogOutput: lines become records.
func TestLogOutput(t *testing.T) {
	var log lockedBuffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	p := newProcessPool(t, pool.Config{
		Workers: 1, Stdout: pool.NewLogWriter(logger, slog.LevelInfo), Stderr: pool.NewLogWriter(logger, slog.LevelWarn),
	})
	pid := workerPID(t, p)
	value(t, say.Submit(t.Context(), p, output{false, "hello\n", 1}))
	value(t, say.Submit(t.Context(), p, output{true, "woe\x1b\n", 1}))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("level=INFO msg=hello worker=1 pid=%d task=say\n", pid),
		fmt.Sprintf(`level=WARN msg="woe\x1b" worker=1 pid=%d task=say`+"\n", pid),
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log is %s, without %s", log.String(), want)
		}
	}
}

// TestEndlessLine: 100 MB without an end cost no more memory than a line may, and
// none of them is lost.
func TestEndlessLine(t *testing.T) {
	both(t, func(t *testing.T, stderr bool, config func(io.Writer) pool.Config) {
		const size = 100_000_000
		var bytes, lines, uncut, longest int
		p := newProcessPool(t, config(pool.NewLineWriter(func(l pool.Line) {
			bytes += len(l.Text)
			lines++
			longest = max(longest, len(l.Text))
			if !l.Cut {
				uncut++
			}
		})))
		value(t, say.Submit(t.Context(), p, output{stderr, strings.Repeat("x", size/100), 100}))
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if bytes != size || longest != 64<<10 || uncut > 0 {
			t.Errorf("%d bytes in %d lines, of %d at most, %d with an end", bytes, lines, longest, uncut)
		}
	})
	t.Run("to a writer", func(t *testing.T) {
		var all bytes.Buffer
		p := newProcessPool(t, pool.Config{Workers: 1, Stdout: &all})
		value(t, say.Submit(t.Context(), p, output{false, strings.Repeat("x", 70_000), 1}))
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if want := strings.Repeat("x", 64<<10) + "\n" + strings.Repeat("x", 70_000-64<<10) + "\n"; all.String() != want {
			t.Errorf("%d bytes", all.Len())
		}
	})
}

// TestBadSink: whatever becomes of the output, the tasks go on.
func TestBadSink(t *testing.T) {
	for name, bad := range map[string]func(pool.Line){
		"panics":              func(pool.Line) { panic("on purpose") },
		"ends its goroutine":  func(pool.Line) { runtime.Goexit() },
		"panics with nothing": func(pool.Line) { panic(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, stderr bool, config func(io.Writer) pool.Config) {
				var log lockedBuffer
				var mu sync.Mutex
				calls := 0
				c := config(pool.NewLineWriter(func(l pool.Line) {
					mu.Lock()
					calls++
					mu.Unlock()
					bad(l)
				}))
				c.Logger = slog.New(slog.NewTextHandler(&log, nil))
				p := newProcessPool(t, c)
				const size = 5000 // so that a worker that nobody reads would block
				for range 20 {
					value(t, say.Submit(t.Context(), p, output{stderr, strings.Repeat("x", size) + "\n", 10}))
				}
				if err := p.Close(); err != nil {
					t.Fatal(err)
				}
				if calls != 200 && name != "ends its goroutine" || calls < 100 {
					t.Errorf("%d calls", calls)
				}
				if told := strings.Contains(log.String(), "panicked"); told != strings.HasPrefix(name, "panics") {
					t.Errorf("the log is %s", log.String())
				}
			})
		})
	}

	t.Run("a writer that panics", func(t *testing.T) {
		var log lockedBuffer
		p := newProcessPool(t, pool.Config{Workers: 1, Stdout: (*lockedBuffer)(nil), Logger: slog.New(slog.NewTextHandler(&log, nil))})
		value(t, say.Submit(t.Context(), p, output{false, "hello\n", 1}))
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(log.String(), "panicked") {
			t.Errorf("the log is %s", log.String())
		}
	})

	t.Run("one that blocks", func(t *testing.T) {
		both(t, func(t *testing.T, stderr bool, config func(io.Writer) pool.Config) {
			var once sync.Once
			entered, until := make(chan struct{}), make(chan struct{})
			defer close(until)
			c := config(pool.NewLineWriter(func(pool.Line) {
				once.Do(func() { close(entered) })
				<-until
			}))
			c.Workers = 2
			p := newProcessPool(t, c)
			endless := output{stderr, strings.Repeat("x", 100) + "\n", 1_000_000}
			f := say.Submit(t.Context(), p, endless)
			select {
			case <-entered:
			case <-time.After(patience):
				t.Fatal("nothing is passed on")
			}
			doubled(t, submit(t, p, 1000)) // by the other worker
			value(t, say.Submit(t.Context(), p, output{stderr, "short\n", 1}))
			running(t, f)
			if !f.Kill() {
				t.Error("it cannot be killed")
			}
			matches(t, f, pool.ErrKilled)
			g := running(t, say.Submit(t.Context(), p, endless))
			returned := background(t, func() error { return p.Shutdown(context.Background(), pool.Kill) })
			if err := returned(); err != nil {
				t.Error(err)
			}
			matches(t, g, pool.ErrKilled, pool.ErrShutdown)
		})
	})
}

// TestOutputOfTheHost: by default what workers write is the host's, whole, before
// Close returns; and Discard is nowhere.
func TestOutputOfTheHost(t *testing.T) {
	stdout, stderr, code := run(t, program(t.Context(), "talks"))
	if stdout != "hello\nagain\n" || stderr != "woe\n" || code != 0 {
		t.Errorf("%q, %q, code %d", stdout, stderr, code)
	}
	stdout, stderr, code = run(t, program(t.Context(), "talks to nobody"))
	if stdout != "" || stderr != "" || code != 0 {
		t.Errorf("%q, %q, code %d", stdout, stderr, code)
	}
}

func init() {
	programs["talks"] = func() { talk(pool.Config{Workers: 1}) }
	programs["talks to nobody"] = func() { talk(pool.Config{Workers: 1, Stdout: io.Discard, Stderr: io.Discard}) }
}

func talk(config pool.Config) {
	pool.Main()
	p, err := pool.NewProcessPool(config)
	if err != nil {
		panic(err)
	}
	for _, o := range []output{{false, "hello\n", 1}, {true, "woe\n", 1}, {false, "again", 1}} {
		if _, err := say.Submit(context.Background(), p, o).Result(context.Background()); err != nil {
			panic(err)
		}
	}
	if err := p.Close(); err != nil {
		panic(err)
	}
}

// TestOutputConfig: what cannot be is refused.
func TestOutputConfig(t *testing.T) {
	for field, config := range map[string]pool.Config{
		"Stdout": {Stdout: pool.NewLineWriter(nil)},
		"Stderr": {Stderr: (*pool.LineWriter)(nil)},
	} {
		_, err := pool.NewProcessPool(config)
		if e, ok := errors.AsType[*pool.ConfigError](err); !ok || e.Field != field {
			t.Errorf("got %v", err)
		}
	}
}
