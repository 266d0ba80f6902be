//go:build unix

package worker_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
	"github.com/stint-go/stint/runtime/worker"
)

// What is to be initialized is, before the worker is ready; its tasks see it, and
// it is finalized when the worker is asked to leave.
func TestInitialize(t *testing.T) {
	for _, task := range []string{"echo", "goexit"} { // a task may end the goroutine that initialized
		h := launch(t, config{initialize: &worker.Initialization{Name: "ok", Limit: time.Minute, Argument: []byte("this")}})
		h.awaitReady()
		h.result(h.offer(task, ""))
		if got := h.value("made", ""); got != "this" {
			t.Errorf("the task sees %q", got)
		}
		h.link.Quit(time.Minute)
		if err := h.awaitClosed(); err != nil {
			t.Errorf("closed with %v", err)
		}
		if state := h.exit(); !state.Success() || h.link.StderrTail() != "finalized this" {
			t.Errorf("it ended with %v, and said %q", state, h.link.StderrTail())
		}
	}
	if got := serving(t).value("made", ""); got != "" {
		t.Errorf("without an initialization the task sees %q", got)
	}
}

// A worker that cannot initialize never is ready, and it is told why.
func TestInitializeFails(t *testing.T) {
	for name, want := range map[string]struct {
		kind    worker.FailureKind // 0: it ended
		message string
	}{
		"panic":  {worker.FailurePanic, "argument"},
		"goexit": {worker.FailureGoexit, ""},
		"wait":   {worker.FailureError, "context deadline exceeded"},
		"exit":   {},
	} {
		t.Run(name, func(t *testing.T) {
			h := launch(t, config{initialize: &worker.Initialization{Name: name, Limit: 10 * time.Millisecond, Argument: []byte("argument")}})
			var failed *worker.InitializeError
			if err := h.awaitClosed(); !errors.As(err, &failed) {
				t.Fatalf("closed with %v", err)
			}
			switch {
			case want.kind == 0 && failed.Failure != nil:
				t.Errorf("got %+v", failed.Failure)
			case want.kind != 0 && (failed.Failure == nil || failed.Failure.Kind != want.kind || failed.Failure.Message != want.message):
				t.Errorf("got %v", failed)
			}
			select {
			case <-h.ready:
				t.Error("it became ready")
			default:
			}
		})
	}
}

// Asked to leave, a worker finishes what it initializes, whose context ends.
func TestQuitWhileInitializing(t *testing.T) {
	h := launch(t, config{initialize: &worker.Initialization{Name: "wait"}})
	h.link.Quit(time.Minute)
	if err := h.awaitClosed(); err == nil {
		t.Error("closed as if it had been ready")
	}
	if state := h.exit(); state.ExitCode() > 0 { // it may have left on the channel's end
		t.Errorf("it ended with %v", state)
	}
}

func TestFinalizerFails(t *testing.T) {
	for argument, words := range map[string]string{
		"panic":  "panic: at the end",
		"goexit": "Goexit",
		"wait":   "context deadline exceeded",
	} {
		t.Run(argument, func(t *testing.T) {
			h := launch(t, config{initialize: &worker.Initialization{Name: "ok", Argument: []byte(argument)}})
			h.awaitReady()
			h.link.Quit(10 * time.Millisecond)
			if err := h.awaitClosed(); err != nil {
				t.Errorf("closed with %v", err)
			}
			if state := h.exit(); state.ExitCode() != worker.ExitFinalizer || !strings.Contains(h.link.StderrTail(), words) {
				t.Errorf("it ended with %v, and said %q", state, h.link.StderrTail())
			}
		})
	}
}

// What no worker answers to an initialization is held against it.
func TestInitializeAnswers(t *testing.T) {
	answer := func(kind wire.Kind, id uint64, payload []byte) []byte {
		return wire.AppendFrame(nil, wire.Header{Kind: kind, ID: id}, payload)
	}
	for name, frame := range map[string][]byte{
		"of a task":     answer(wire.KindValue, 1, make([]byte, 8)),
		"with a value":  answer(wire.KindValue, 0, make([]byte, 9)),
		"skipped":       answer(wire.KindSkipped, 0, nil),
		"of a host":     answer(wire.KindTask, 0, make([]byte, 20)),
		"no failure":    answer(wire.KindFailure, 0, make([]byte, 8)),
		"another hello": answer(wire.KindHello, 0, nil),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatcher()
			_, i := openImpostorWith(t, worker.LinkConfig{Limit: 1 << 20, Initialize: &worker.Initialization{Name: "x"}, Receiver: w})
			i.write(i.answer(nil), frame)
			var bad *worker.ProtocolError
			if err, _ := receive(t, w.closed); !errors.As(err, &bad) {
				t.Errorf("closed with %v", err)
			}
		})
	}
}
