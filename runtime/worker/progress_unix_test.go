//go:build unix

package worker_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/internal/wire"
	"github.com/stint-go/stint/runtime/worker"
)

func init() {
	// report reports 0, 1, 2 … for a while, and returns the last number.
	tasks["report"] = func(ctx context.Context, argument []byte) ([]byte, error) {
		d, err := time.ParseDuration(string(argument))
		if err != nil {
			return nil, err
		}
		n := 0
		for from := time.Now(); time.Since(from) < d; n++ {
			if ok, err := worker.Report(ctx, strconv.AppendInt(nil, int64(n), 10)); !ok || err != nil {
				return nil, err
			}
		}
		return strconv.AppendInt(nil, int64(n-1), 10), nil
	}
	// The one leaves its context, under which the other reports.
	var left context.Context
	tasks["leave context"] = func(ctx context.Context, _ []byte) ([]byte, error) { left = ctx; return nil, nil }
	tasks["report for another"] = func(context.Context, []byte) ([]byte, error) {
		ok, err := worker.Report(left, []byte("from the grave"))
		return strconv.AppendBool(nil, ok), err
	}
	tasks["report much"] = func(ctx context.Context, argument []byte) ([]byte, error) {
		_, err := worker.Report(ctx, make([]byte, len(argument)))
		return nil, err
	}
	tasks["report and wait"] = func(ctx context.Context, _ []byte) ([]byte, error) {
		for _, s := range []string{"one", "two", "three"} {
			if _, err := worker.Report(ctx, []byte(s)); err != nil {
				return nil, err
			}
		}
		<-ctx.Done()
		return nil, nil
	}
}

// Reports come in their order, the first at once, then at most every 10 ms, and
// the last before the result, however many are made.
func TestReports(t *testing.T) {
	h := serving(t)
	const d = 300 * time.Millisecond
	r := h.result(h.offer("report", d.String()))
	if r.Failure != nil {
		t.Fatal(r.Failure)
	}
	reports := drain(h.reports)
	if most := int(r.Elapsed/(10*time.Millisecond)) + 2; len(reports) < 3 || len(reports) > most {
		t.Errorf("%d reports in %v, want at most %d", len(reports), r.Elapsed, most)
	}
	last := -1
	for _, report := range reports {
		n, err := strconv.Atoi(report)
		if err != nil || n <= last {
			t.Errorf("report %q after %d", report, last)
		}
		last = n
	}
	if got := strconv.Itoa(last); got != string(r.Value) || reports[0] != "0" {
		t.Errorf("the first report is %s, the last %s, of %s", reports[0], got, r.Value)
	}
	t.Logf("%s reports, %d sent", r.Value, len(reports))
}

// A report that follows another at once is sent though nothing follows it.
func TestReportsOfATaskThatWaits(t *testing.T) {
	h := serving(t)
	id := h.offer("report and wait", "")
	for _, want := range []string{"one", "three"} {
		if got, _ := receive(t, h.reports); got != want {
			t.Errorf("report %q, want %q", got, want)
		}
	}
	h.link.Cancel(id, false)
	h.result(id)
	if rest := drain(h.reports); len(rest) > 0 {
		t.Errorf("more reports: %q", rest)
	}
}

// A task that is over reports nothing, and nothing is reported that is too large.
func TestReportsRefused(t *testing.T) {
	h := serving(t)
	h.value("leave context", "")
	if got := h.value("report for another", ""); got != "false" {
		t.Errorf("the report of a task that is over: %s", got)
	}
	h.value("report much", strings.Repeat("x", wire.MaxProgress))
	if r := h.result(h.offer("report much", strings.Repeat("x", wire.MaxProgress+1))); r.Failure == nil || !strings.Contains(r.Failure.Message, "over the limit") {
		t.Errorf("result %+v", r)
	}
	if reports := drain(h.reports); len(reports) != 1 || len(reports[0]) != wire.MaxProgress {
		t.Errorf("%d reports came", len(reports))
	}
	if ok, err := worker.Report(t.Context(), nil); ok || err != nil {
		t.Errorf("outside of any task: %t, %v", ok, err)
	}
}

// drain returns what a channel holds.
func drain(from chan string) (all []string) {
	for {
		select {
		case s := <-from:
			all = append(all, s)
		default:
			return all
		}
	}
}
