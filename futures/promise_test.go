package futures_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stint-go/stint/futures"
)

// settlings are all the ways in which a future can be settled, and how each ends.
var settlings = []struct {
	name string
	end  futures.State
	do   func(futures.Promise[int]) bool
}{
	{"Succeed", futures.Succeeded, func(p futures.Promise[int]) bool { return p.Succeed(1) }},
	{"Fail", futures.Failed, func(p futures.Promise[int]) bool { return p.Fail(errBoom) }},
	{"Promise.Cancel", futures.Cancelled, func(p futures.Promise[int]) bool { return p.Cancel(errBoom) }},
	{"Future.Cancel", futures.Cancelled, func(p futures.Promise[int]) bool { return p.Future().Cancel() }},
}

func TestSecondSettleIsRefused(t *testing.T) {
	for _, first := range settlings {
		for _, second := range settlings {
			t.Run(fmt.Sprintf("PY-F-11 %s then %s", first.name, second.name), func(t *testing.T) {
				p, f := futures.New[int](nil)
				if !first.do(p) {
					t.Fatal("the first was refused")
				}
				v, err := f.Result(t.Context())
				// To cancel what is cancelled is no error; it changes nothing either.
				if got, want := second.do(p), second.name == "Future.Cancel" && first.end == futures.Cancelled; got != want {
					t.Errorf("the second returned %t, want %t", got, want)
				}
				if s := f.State(); s != first.end {
					t.Errorf("state %v, want %v", s, first.end)
				}
				if v2, err2 := f.Result(t.Context()); v2 != v || err2 != err {
					t.Errorf("result was %v, %v and became %v, %v", v, err, v2, err2)
				}
			})
		}
	}
}

type quietError struct{}

func (*quietError) Error() string { return "" }

func TestAnyNonNilErrorIsAnError(t *testing.T) {
	for name, cause := range map[string]error{
		"PY-F-12 typed nil":     (*quietError)(nil),
		"PY-F-12 empty message": errors.New(""),
	} {
		t.Run(name, func(t *testing.T) {
			p, f := futures.New[string](nil)
			if !p.Fail(cause) {
				t.Fatal("Fail was refused")
			}
			if _, err := f.Result(t.Context()); err == nil || err != cause {
				t.Errorf("Result: %#v, want %#v", err, cause)
			}
			if err := f.Err(t.Context()); err == nil || err != cause {
				t.Errorf("Err: %#v, want %#v", err, cause)
			}
			if s := f.State(); s != futures.Failed {
				t.Errorf("state %v", s)
			}
		})
	}
}

func TestFailWithoutAnErrorPanics(t *testing.T) {
	p, f := futures.New[int](nil)
	mustPanic(t, "Promise.Fail with a nil error", func() { p.Fail(nil) })
	if s := f.State(); s != futures.Pending {
		t.Errorf("state after the panic: %v", s)
	}
	mustPanic(t, "FromError with a nil error", func() { futures.FromError[int](nil) })
}

func TestSettledFromTheStart(t *testing.T) {
	f := futures.FromValue("value")
	if v, err := f.Result(expired(t)); v != "value" || err != nil || f.State() != futures.Succeeded {
		t.Errorf("FromValue: %q, %v, %v", v, err, f.State())
	}
	g := futures.FromError[string](errBoom)
	if v, err := g.Result(expired(t)); v != "" || err != errBoom || g.State() != futures.Failed {
		t.Errorf("FromError: %q, %v, %v", v, err, g.State())
	}
	if !isClosed(f.Done()) || !isClosed(g.Done()) {
		t.Error("Done is open")
	}
}

func TestPromiseCancelTellsItsCause(t *testing.T) {
	for _, state := range []futures.State{futures.Pending, futures.Running} {
		p, f := inState(state)
		if !p.Cancel(errBoom) {
			t.Fatalf("Cancel of a %v future was refused", state)
		}
		err := f.Err(t.Context())
		if !errors.Is(err, futures.ErrCancelled) || !errors.Is(err, errBoom) {
			t.Errorf("a %v future that was cancelled: %v", state, err)
		}
	}
}

// TestAttempts: a future tells how often its work was tried, also when it has
// settled; from then on that does not change.
func TestAttempts(t *testing.T) {
	p, f := futures.New[int](nil)
	if n := f.Attempts(); n != 1 {
		t.Errorf("at first it has had %d attempts", n)
	}
	p.Start()
	p.Retry()
	p.Retry()
	if n, s := f.Attempts(), f.State(); n != 3 || s != futures.Running {
		t.Errorf("it has had %d attempts and is %v", n, s)
	}
	p.Succeed(1)
	p.Retry()
	if n := f.Attempts(); n != 3 {
		t.Errorf("after its end it has had %d attempts", n)
	}
}
