//go:build unix

package worker_test

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime/worker"
)

// All of both streams is passed on, and nothing in it is changed: who prints it
// escapes it (SEC-18). The last 16 KiB of standard error are kept.
func TestOutput(t *testing.T) {
	h := serving(t)
	var all bytes.Buffer
	for i, size := range []int{0, 1, 100, 5 << 10, 16 << 10, 1, 50 << 10, 3} {
		text := bytes.Repeat([]byte{'a' + byte(i)}, size)
		if i%2 == 1 {
			text = append(text, "\x1b[31m\x00\xff\r\n"...)
		}
		all.Write(text)
		h.value("stderr", string(text))
		h.value("stdout", string(text))
		want := all.Bytes()[max(0, all.Len()-worker.TailSize):]
		eventually(t, "what was written has come", func() bool { return h.stderr.String() == all.String() && h.stdout.String() == all.String() })
		if got := h.link.StderrTail(); got != string(want) {
			t.Errorf("after %d bytes, %d are kept, want %d", all.Len(), len(got), len(want))
		}
	}
	if h.stdout.ends()+h.stderr.ends() > 0 {
		t.Error("a stream is told to have ended")
	}
	h.offer("exit", "3")
	if err := h.awaitClosed(); err != nil {
		t.Error(err)
	}
	if got := h.link.StderrTail(); got != string(all.Bytes()[all.Len()-worker.TailSize:]) {
		t.Error("at the end another text is kept")
	}
	if h.stdout.ends() != 1 || h.stderr.ends() != 1 {
		t.Errorf("the end is told %d and %d times", h.stdout.ends(), h.stderr.ends())
	}
}

// Without anybody who wants it, standard output goes nowhere.
func TestNoOutput(t *testing.T) {
	leaktest.Check(t)
	_, files, _ := openPlain(t, worker.LinkConfig{})
	if files[1].Name() != os.DevNull {
		t.Errorf("standard output is %s", files[1].Name())
	}
}

// Who inherited the worker's output holds up the end of the channel for a bounded
// time only.
func TestOutputHeldByAnother(t *testing.T) {
	leaktest.Check(t)
	for fd := 1; fd <= 2; fd++ {
		out := &output{}
		link, files, w := openPlain(t, worker.LinkConfig{Stdout: out, Stderr: out})
		if _, err := files[fd].WriteString("last words"); err != nil {
			t.Fatal(err)
		}
		link.Start()
		files[3].Close() // the worker is gone; somebody has the other files
		files[4].Close()
		if err, _ := receive(t, w.closed); err != nil {
			t.Errorf("closed with %v", err)
		}
		if tail := link.StderrTail(); out.String() != "last words" || fd == 2 && tail != "last words" {
			t.Errorf("it wrote %q, and %q is kept", out.String(), tail)
		}
	}
}

// What the host does with the output must not keep a worker's end from it, nor
// its last words.
func TestOutputThatBlocks(t *testing.T) {
	leaktest.Check(t)
	until := make(chan struct{})
	defer close(until)
	link, files, w := openPlain(t, worker.LinkConfig{Stdout: blocked{until}, Stderr: blocked{until}})
	link.Start()
	for range 3 {
		for _, f := range files[1:3] {
			if _, err := f.WriteString(strings.Repeat("words ", 1000)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := files[2].WriteString("last words"); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	for _, f := range files {
		f.Close() // the worker is gone
	}
	if err, _ := receive(t, w.closed); err != nil {
		t.Errorf("closed with %v", err)
	}
	t.Logf("closed after %v", time.Since(at))
	if tail := link.StderrTail(); len(tail) != worker.TailSize || !strings.HasSuffix(tail, "words last words") {
		t.Errorf("%d bytes are kept, of the end %q", len(tail), tail[max(0, len(tail)-20):])
	}
}

// Who takes the output may end the goroutine that gives it.
func TestOutputThatEndsGoroutines(t *testing.T) {
	leaktest.Check(t)
	out := &quitter{}
	link, files, w := openPlain(t, worker.LinkConfig{Stdout: out})
	link.Start()
	for range 3 {
		before := out.String()
		if _, err := files[1].WriteString("word "); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it was passed on", func() bool { return out.String() != before })
	}
	for _, f := range files {
		f.Close()
	}
	if err, _ := receive(t, w.closed); err != nil {
		t.Errorf("closed with %v", err)
	}
	if out.String() != "word word word " || out.ends() != 1 {
		t.Errorf("%q, closed %d times", out.String(), out.ends())
	}
}

// openPlain opens a link whose worker is played by hand, to the end of the test.
func openPlain(t *testing.T, c worker.LinkConfig) (*worker.Link, []*os.File, *watcher) {
	t.Helper()
	w := newWatcher()
	c.Limit, c.Receiver = 1, w
	link, files, err := worker.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, f := range files {
			f.Close()
		}
		link.Close()
		link.Release()
	})
	return link, files, w
}

// blocked takes nothing until it is told to.
type blocked struct{ until chan struct{} }

func (b blocked) Write(p []byte) (int, error) {
	<-b.until
	return len(p), nil
}

func (b blocked) Close() error { return nil }

// quitter takes what it is given and the goroutine with it.
type quitter struct{ output }

func (q *quitter) Write(p []byte) (int, error) {
	_, _ = q.output.Write(p)
	runtime.Goexit()
	return 0, nil
}

func (q *quitter) Close() error {
	_ = q.output.Close()
	runtime.Goexit()
	return nil
}
