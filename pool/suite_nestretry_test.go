package pool_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// retryIn is how nestRetry submits what it submits.
type retryIn struct {
	How   string
	Tries tries
}

// nestRetry submits a task that fails at first, and tells what became of it.
var nestRetry = pool.NewTask("nestRetry", func(ctx context.Context, in retryIn) (string, error) {
	p, err := pool.From(ctx)
	if err != nil {
		return "", err
	}
	policy := pool.Retry{Attempts: 5, Delay: time.Millisecond}
	var f *futures.Future[int]
	switch in.How {
	case "by the task's policy":
		f = stubborn.Submit(ctx, p, in.Tries)
	case "by a policy of the call":
		policy.On = pool.OnAny
		f = flaky.Submit(ctx, p, in.Tries, pool.WithRetry(policy))
	case "by default":
		f = flaky.Submit(ctx, p, in.Tries, pool.WithRetry(policy))
	case "by functions of the caller's":
		policy.On = func(error) bool { return true }
		f = flaky.Submit(ctx, p, in.Tries, pool.WithRetry(policy))
	}
	_, err = f.Result(ctx)
	var retried *pool.RetryError
	if errors.As(err, &retried) && errors.Is(retried.Attempts[0].Err, errTest) {
		return fmt.Sprintf("%d attempts, %d told: %v", f.Attempts(), len(retried.Attempts), f.State()), nil
	}
	return fmt.Sprintf("%d attempts: %v, %v", f.Attempts(), f.State(), err), nil
})

// A nested task is tried again as others are, and its future tells how often.
func TestNestedRetries(t *testing.T) {
	overKinds(t, "in the pool", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 1})
		for _, c := range []struct {
			how  string
			bad  int
			want string
		}{
			{"by the task's policy", 2, "3 attempts: succeeded, <nil>"},
			{"by the task's policy", 9, "5 attempts, 5 told: failed"},
			{"by a policy of the call", 2, "3 attempts: succeeded, <nil>"},
			{"by default", 1, "1 attempts: failed, "}, // its own errors are none to try again after
		} {
			got := value(t, nestRetry.Submit(t.Context(), p, retryIn{c.how, failing(t, c.bad)}))
			if !strings.HasPrefix(got, c.want) {
				t.Errorf("%s, %d bad: got %q, want %q", c.how, c.bad, got, c.want)
			}
		}
		if s := p.Stats(); s.Lent != 0 || s.Submitted != s.Settled() {
			t.Errorf("%+v", s)
		}
	})
}
