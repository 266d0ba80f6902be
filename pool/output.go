package pool

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
)

// This file is where the output of workers goes.

// Line is a line that a worker wrote to its standard output or standard error.
type Line struct {
	Worker int // its number in its pool, from 1
	PID    int
	// Task is the name of the task that the worker was running when the line was
	// read, or else of the last one that it ran; empty: none yet. The line may have
	// been written up to a moment before, by the task before it.
	Task   string
	Stderr bool // it was written to standard error
	// Text is the line without its end, as the worker wrote it: nothing in it is
	// escaped.
	Text string
	// Cut says that the line has no end: it was longer than 64 KiB, and the worker's
	// next one goes on with it; or the worker ended.
	Cut bool
}

// LineWriter is an io.Writer that learns which worker and task each line is from,
// when it is a Config.Stdout or Config.Stderr. It is safe for use by any number of
// pools and as both of one.
type LineWriter struct {
	mu   sync.Mutex
	line func(Line)
}

// NewLineWriter returns a writer that calls a function with each line, one call at
// a time. The function may block, which holds up the workers that write (see
// Config.Stdout), and may panic, which is logged and concerns that line alone. It
// may not call for the end of its own pool and wait for it.
func NewLineWriter(line func(Line)) *LineWriter { return &LineWriter{line: line} }

// NewLogWriter returns a writer that logs each line at a level, with the
// attributes worker, pid and task. A nil logger is slog.Default().
func NewLogWriter(logger *slog.Logger, level slog.Level) *LineWriter {
	if logger == nil {
		logger = slog.Default()
	}
	return NewLineWriter(func(l Line) {
		logger.LogAttrs(context.Background(), level, l.Text, slog.Int("worker", l.Worker), slog.Int("pid", l.PID), slog.String("task", l.Task))
	})
}

// Write calls the function with each line of p; of these it knows nothing but the
// text.
func (w *LineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.each(Line{}, p, func(any) {})
	return len(p), nil
}

func (w *LineWriter) take(from *stream, lines []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.each(from.line(), lines, from.panicked)
}

// each calls the function with each line of a text. Under the lock.
func (w *LineWriter) each(line Line, text []byte, panicked func(value any)) {
	for part := range bytes.Lines(text) {
		whole := bytes.TrimSuffix(part, []byte("\n"))
		line.Text, line.Cut = string(whole), len(whole) == len(part)
		w.call(line, panicked)
	}
}

func (w *LineWriter) call(line Line, panicked func(value any)) {
	defer func() {
		if value := recover(); value != nil {
			panicked(value)
		}
	}()
	w.line(line)
}

// sink takes what workers write.
type sink interface {
	// take is given whole lines, or a part of one, by any number of streams.
	take(from *stream, lines []byte)
}

// newSink returns where a writer of Config sends lines; nil: nowhere.
func newSink(to io.Writer) sink {
	switch to := to.(type) {
	case *LineWriter:
		return to
	default:
		if to == io.Discard {
			return nil
		}
		return &writerSink{to: to}
	}
}

// writerSink writes lines to a writer.
type writerSink struct {
	mu sync.Mutex
	to io.Writer
}

// take gives a line that has no end one, so that the next one, perhaps another
// worker's, does not go on with it. An error is dropped: a worker must not stop
// because its host's terminal is gone.
func (w *writerSink) take(from *stream, lines []byte) {
	if lines[len(lines)-1] != '\n' {
		lines = append(lines, '\n')
	}
	defer func() {
		if value := recover(); value != nil {
			from.panicked(value)
		}
	}()
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = w.to.Write(lines)
}

// sinks are those of a pool.
type sinks struct{ stdout, stderr sink }

// newSinks returns the sinks of Config.Stdout and Config.Stderr: the same for both
// if those are the same, so that there is one call at a time.
func newSinks(config Config) sinks {
	all := sinks{stdout: newSink(config.Stdout)}
	if same(config.Stdout, config.Stderr) {
		all.stderr = all.stdout
	} else {
		all.stderr = newSink(config.Stderr)
	}
	return all
}

// same reports whether two writers are one. Those that cannot be compared are not.
func same(a, b io.Writer) bool {
	defer func() { _ = recover() }()
	return a == b
}

// checkOutput fills in the host's own streams.
func (c *Config) checkOutput() error {
	for _, field := range []struct {
		name   string
		writer *io.Writer
		host   *os.File
	}{
		{"Stdout", &c.Stdout, os.Stdout},
		{"Stderr", &c.Stderr, os.Stderr},
	} {
		switch w := (*field.writer).(type) {
		case nil:
			*field.writer = field.host
		case *LineWriter:
			if w == nil || w.line == nil {
				return &ConfigError{Field: field.name, Reason: "the LineWriter has no function"}
			}
		}
	}
	return nil
}
