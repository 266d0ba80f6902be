package futures_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stint-go/stint/futures"
)

func TestCancelledErrorMatches(t *testing.T) {
	p, f := futures.New[int](nil)
	p.Cancel(errBoom)
	err := f.Err(t.Context())
	for _, target := range []error{futures.ErrCancelled, context.Canceled, errBoom} {
		if !errors.Is(err, target) {
			t.Errorf("%v does not match %v", err, target)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v matches a deadline", err)
	}
	if errors.Unwrap(err) != errBoom {
		t.Errorf("unwraps to %v", errors.Unwrap(err))
	}
	if want := "futures: cancelled: boom"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	_, f = inState(futures.Cancelled)
	if err := f.Err(t.Context()); err.Error() != "futures: cancelled" || errors.Unwrap(err) != nil {
		t.Errorf("without a cause: %q, unwraps to %v", err, errors.Unwrap(err))
	}
}

// The errors of waits match the cause of the context as well as its own error.
func TestWaitErrorsMatchTheirContext(t *testing.T) {
	shutdown := errors.New("shutting down")
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(shutdown)
	_, fs := pending(2)

	_, resultErr := fs[0].Result(cancelled)
	_, _, waitErr := futures.Wait(cancelled, fs, futures.AllCompleted)
	c := futures.NewCompletion(cancelled, slices.Values(fs))
	for range c.All() {
		t.Error("yielded a pending future")
	}
	for name, err := range map[string]error{"Result": resultErr, "Err": fs[0].Err(cancelled), "Wait": waitErr, "Completion": c.Err()} {
		if !errors.Is(err, context.Canceled) || errors.Unwrap(err) != shutdown || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v matches the wrong errors", name, err)
		}
		if errors.Is(err, futures.ErrCancelled) {
			t.Errorf("%s: %v is taken for a cancelled future", name, err)
		}
		if !strings.HasSuffix(err.Error(), ": shutting down") {
			t.Errorf("%s: %q does not tell the cause", name, err)
		}
	}
}

func TestWaitErrorTellsItsStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, f := inState(futures.Running)
		for _, want := range []string{
			"futures: stopped waiting after 5s for a future that is running: context deadline exceeded",
			"futures: did not wait for a future that is running: context deadline exceeded",
		} {
			if err := f.Err(ctx); err == nil || err.Error() != want {
				t.Errorf("%q, want %q", err, want)
			}
		}
	})
}
