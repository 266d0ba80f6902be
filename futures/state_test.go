package futures_test

import (
	"testing"

	"github.com/stint-go/stint/futures"
)

// PY-F-7: every question to a future in every state.
func TestTruthTable(t *testing.T) {
	for _, row := range []struct {
		state   futures.State
		name    string
		settled bool
		cancels bool // Cancel and Kill
		starts  bool
	}{
		{futures.Pending, "pending", false, true, true},
		{futures.Running, "running", false, false, false},
		{futures.Succeeded, "succeeded", true, false, false},
		{futures.Failed, "failed", true, false, false},
		{futures.Cancelled, "cancelled", true, true, false},
	} {
		t.Run("PY-F-7 "+row.name, func(t *testing.T) {
			p, f := inState(row.state)
			if got := f.State(); got != row.state || got.String() != row.name || got.Settled() != row.settled {
				t.Errorf("state %v, settled %t; want %v, %t", got, got.Settled(), row.name, row.settled)
			}
			if got := isClosed(f.Done()); got != row.settled {
				t.Errorf("Done closed: %t, want %t", got, row.settled)
			}
			if got := p.Start(); got != row.starts {
				t.Errorf("Start: %t, want %t", got, row.starts)
			}
			_, f = inState(row.state)
			if got := f.Cancel(); got != row.cancels {
				t.Errorf("Cancel: %t, want %t", got, row.cancels)
			}
			_, f = inState(row.state)
			if got := f.Kill(); got != row.cancels {
				t.Errorf("Kill: %t, want %t", got, row.cancels)
			}
		})
	}
}

func TestNamesOfUnknownValues(t *testing.T) {
	if s := futures.State(9).String(); s != "State(9)" {
		t.Errorf("unknown state is called %q", s)
	}
	for until, want := range []string{"FirstCompleted", "FirstException", "AllCompleted", "Until(3)"} {
		if s := futures.Until(until).String(); s != want {
			t.Errorf("condition %d is called %q, want %q", until, s, want)
		}
	}
}
