//go:build unix

package worker_test

import (
	"encoding/binary"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/worker"
)

func TestResults(t *testing.T) {
	h := serving(t)
	t.Run("value", func(t *testing.T) {
		for _, argument := range []string{"", "x", strings.Repeat("y", 40<<10), strings.Repeat("z", 1<<20-100)} {
			if got := h.value("echo", argument); got != argument {
				t.Errorf("%d bytes came back as %d", len(argument), len(got))
			}
		}
	})
	t.Run("order", func(t *testing.T) {
		var ids []uint64
		for i := range 3 * worker.Slots {
			if len(ids) == worker.Slots {
				h.result(ids[0])
				ids = ids[1:]
			}
			size := 10
			if i%20 == 0 {
				size = 40 << 10 // is written by itself, among the small ones
			}
			ids = append(ids, h.offer("echo", strings.Repeat("x", size)))
		}
		for _, id := range ids {
			h.result(id)
		}
	})
	t.Run("elapsed", func(t *testing.T) {
		r := h.result(h.offerFor("wait", "", 20*time.Millisecond))
		if r.Elapsed < 20*time.Millisecond || r.Elapsed > patience {
			t.Errorf("it took %v", r.Elapsed)
		}
	})
	t.Run("error", func(t *testing.T) {
		r := h.result(h.offer("fail", "no luck"))
		if r.Failure == nil || r.Failure.Kind != worker.FailureError || r.Failure.Message != "no luck" {
			t.Errorf("failure %+v", r.Failure)
		}
	})
	t.Run("SEC-5 unknown task", func(t *testing.T) {
		r := h.result(h.offer("no such task", ""))
		if r.Failure == nil || r.Failure.Kind != worker.FailureUnknown {
			t.Errorf("failure %+v", r.Failure)
		}
	})
	if got := h.value("echo", "still there"); got != "still there" {
		t.Errorf("after all that: %q", got)
	}
}

// PY-PP-3: what panicked, and where, reaches the host. PY-D-4: and the worker
// lives on, also after a Goexit.
func TestPanicAndGoexit(t *testing.T) {
	h := serving(t)
	for name, test := range map[string]struct {
		task, argument         string
		kind                   worker.FailureKind
		message, typ, function string
	}{
		"panic":            {"panic", "boom", worker.FailurePanic, "boom", "string", "worker_test"},
		"panic with error": {"dig", "30", worker.FailurePanic, errDug.Error(), "*errors.errorString", "worker_test.dig"},
		"Goexit":           {"goexit", "", worker.FailureGoexit, "", "", "runtime.Goexit"},
	} {
		t.Run(name, func(t *testing.T) {
			f := h.result(h.offer(test.task, test.argument)).Failure
			if f == nil || f.Kind != test.kind || f.Message != test.message || f.Type != test.typ {
				t.Fatalf("failure %+v", f)
			}
			if !strings.Contains(f.Stack, test.function) {
				t.Errorf("%q is not in the stack %s", test.function, f.Stack)
			}
			if got := h.value("echo", "still there"); got != "still there" {
				t.Errorf("afterwards: %q", got)
			}
		})
	}
	t.Run("panic of nil, as before Go 1.21", func(t *testing.T) {
		h := launch(t, config{env: []string{"GODEBUG=panicnil=1"}})
		h.awaitReady()
		for range 3 {
			if f := h.result(h.offer("panic of nil", "")).Failure; f == nil {
				t.Error("it did not fail")
			}
		}
		first, second := h.offer("wait", ""), h.offer("echo", "")
		h.awaitBegun(first)
		if !h.withdraw(second) {
			t.Error("two tasks run at a time")
		}
		h.link.Cancel(first, false)
		h.result(first)
		if r := h.result(second); !r.Skipped {
			t.Errorf("result %+v", r)
		}
	})
	t.Run("many Goexits in a row", func(t *testing.T) {
		first := h.offer("goexit", "")
		for range 99 {
			h.offer("goexit", "")
		}
		for id := first; id < first+100; id++ {
			if r := h.result(id); r.Failure == nil || r.Failure.Kind != worker.FailureGoexit {
				t.Fatalf("result %+v", r)
			}
		}
	})
}

// PY-D-4: os.Exit in a task is the end of the channel; the claim table tells
// which task it was, and what it had not begun can be taken back.
func TestExitInTask(t *testing.T) {
	for _, code := range []int{0, 1, 8, 255} { // PY-P-9
		h := serving(t)
		before := h.offer("echo", "before")
		exits := h.offer("exit", strconv.Itoa(code))
		after := h.offer("echo", "after")
		h.result(before)
		if err := h.awaitClosed(); err != nil {
			t.Errorf("closed with %v", err)
		}
		if got := h.exit().ExitCode(); got != code {
			t.Errorf("exit code %d, want %d", got, code)
		}
		if at, ok := h.begun(exits); !ok || time.Since(at) < 0 || time.Since(at) > patience {
			t.Errorf("the task that exited: begun %t, %v ago", ok, time.Since(at))
		}
		if h.withdraw(exits) || !h.withdraw(after) {
			t.Error("only the task after it can be taken back")
		}
	}
}

// PY-D-6, PY-MPP-9: a result that does not fit fails its task and costs no worker.
func TestResultTooLarge(t *testing.T) {
	const limit = 64 << 10
	h := launch(t, config{limit: limit})
	h.awaitReady()
	for size, fits := range map[int]bool{limit - 8: true, limit - 7: false, limit + 1: false, 10 * limit: false} {
		r := h.result(h.offer("zeros", strconv.Itoa(size)))
		switch {
		case fits && (r.Failure != nil || len(r.Value) != size):
			t.Errorf("%d bytes: %+v", size, r.Failure)
		case !fits && (r.Failure == nil || r.Failure.Kind != worker.FailureResult || !strings.Contains(r.Failure.Message, strconv.Itoa(size))):
			t.Errorf("%d bytes: %d came, %+v", size, len(r.Value), r.Failure)
		}
	}
}

// A limit that is less than what a panic has to tell stops no failure.
func TestFailureOverLimit(t *testing.T) {
	h := launch(t, config{limit: 100})
	h.awaitReady()
	if f := h.result(h.offer("dig", "100")).Failure; f == nil || f.Kind != worker.FailurePanic || !strings.Contains(f.Stack, "worker_test.dig") {
		t.Errorf("failure %+v", f)
	}
	if f := h.result(h.offer("zeros", "101")).Failure; f == nil || f.Kind != worker.FailureResult {
		t.Errorf("failure %+v", f)
	}
}

// Cancel ends the running task's context, with the reason that it names, and
// nobody else's.
func TestCancel(t *testing.T) {
	h := serving(t)
	for deadline, want := range map[bool]string{true: "context deadline exceeded", false: "context canceled"} {
		for _, limit := range []time.Duration{0, time.Hour} {
			running, behind := h.offerFor("wait", "", limit), h.offer("wait", "")
			h.awaitBegun(running)
			h.link.Cancel(behind, !deadline) // does not run yet: is left alone
			h.link.Cancel(running+1000, !deadline)
			h.link.Cancel(running, deadline)
			if r := h.result(running); string(r.Value) != want {
				t.Errorf("%+v, want %s", r, want)
			}
			h.awaitBegun(behind)
			h.link.Cancel(running, deadline) // is over
			h.link.Cancel(behind, deadline)
			if r := h.result(behind); string(r.Value) != want {
				t.Errorf("%+v, want %s", r, want)
			}
		}
	}
}

// A cancel that is sent as soon as the task is seen to have begun reaches it.
func TestCancelAtOnce(t *testing.T) {
	h := serving(t)
	for range 1000 {
		id := h.offer("wait", "")
		for {
			if _, begun := h.begun(id); begun {
				break
			}
		}
		h.link.Cancel(id, false)
		h.result(id)
	}
}

func TestDeadline(t *testing.T) {
	h := serving(t)
	if got := h.value("context", ""); got != "no deadline" {
		t.Errorf("%q", got)
	}
	const limit = 300 * time.Millisecond
	r := h.result(h.offerFor("context", "", limit))
	if r.Failure != nil {
		t.Fatal(r.Failure.Message)
	}
	left := time.Duration(binary.LittleEndian.Uint64(r.Value))
	if left > limit || left < 0 || r.Elapsed < limit {
		t.Errorf("%v were left of %v; it took %v", left, limit, r.Elapsed)
	}
}

// What a task leaves behind sees its context end with it.
func TestContextEndsWithTask(t *testing.T) {
	h := serving(t)
	h.value("ended", "")
	if got := h.value("ended", ""); got != "context canceled" {
		t.Errorf("the context of the task before: %s", got)
	}
	r := h.result(h.offerFor("ended", "", time.Hour))
	if string(r.Value) != "context canceled" {
		t.Errorf("the context of the task before: %s", r.Value)
	}
	if got := h.value("ended", ""); got != "context canceled" {
		t.Errorf("the context of the task with a deadline: %s", got)
	}
}
