//go:build unix

package worker_test

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// A worker that is killed at any moment, while short tasks follow one another, takes
// no more than one of them along: the last that it had begun. Each other one that it
// has begun has its result, once.
func TestKillWhileResultsGather(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	taken, noted := 0, 0
	for range rounds {
		h := serving(t)
		h.value("echo", "warm")
		const n = 200
		for range n - 1 {
			h.offerLater("echo", "x")
		}
		last := h.offer("echo", "x")
		first := last - n + 1
		for wait := time.Now().Add(time.Duration(rand.IntN(600)) * time.Microsecond); time.Now().Before(wait); {
		}
		if err := syscall.Kill(h.process.Pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		receive(t, h.closed)
		noted += h.notedLast
		told := make(map[uint64]bool)
		for r := range h.results {
			if told[r.ID] || r.ID < first || r.ID > last || string(r.Value) != "x" {
				t.Fatalf("result %+v", r)
			}
			told[r.ID] = true
		}
		for id := first; id <= last; id++ {
			_, begun := h.begun(id)
			_, next := h.begun(id + 1)
			switch {
			case begun && !told[id] && next && id < last:
				t.Errorf("the worker has finished task %d, and its result is gone", id)
			case begun && !told[id]:
				taken++
			case !begun && told[id]:
				t.Errorf("task %d has a result and has not begun", id)
			}
		}
		h.exit()
	}
	t.Logf("in %d rounds %d tasks were taken along, and %d results read after the death", rounds, taken, noted)
}

// A short task's result does not wait for the end of a long one behind it.
func TestResultBehindALongTask(t *testing.T) {
	h := serving(t)
	for range 20 {
		for range 3 {
			h.offerLater("echo", "short")
		}
		long := h.offer("wait", "")
		for id := long - 3; id < long; id++ {
			if r := h.result(id); string(r.Value) != "short" {
				t.Fatalf("result %+v", r)
			}
		}
		h.awaitBegun(long)
		h.link.Cancel(long, false)
		h.result(long)
	}
}

// What a task reports and asks comes after the results of those before it.
func TestReportAfterResults(t *testing.T) {
	for range 20 {
		h := serving(t)
		short := h.offerLater("echo", "short")
		reports := h.offer("report and wait", "")
		if receive(t, h.reports); h.reportedAfter != short {
			t.Fatalf("it was reported after the result of task %d, not %d", h.reportedAfter, short)
		}
		h.result(short)
		h.link.Cancel(reports, false)
		h.result(reports)
	}
}
