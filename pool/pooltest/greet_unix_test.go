//go:build unix

package pooltest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/pool/pooltest"
	"github.com/stint-go/stint/runtime/worker"
)

var greet = pool.NewTask("greet", func(_ context.Context, name string) (string, error) { return "hello, " + name, nil })

// greetAll is what a program does, and wants to test: it greets whom it can.
func greetAll(ctx context.Context, p pool.Pool, names ...string) (greetings []string, lost int) {
	for _, name := range names {
		switch greeting, err := greet.Submit(ctx, p, name).Result(ctx); {
		case err == nil:
			greetings = append(greetings, greeting)
		case errors.Is(err, pool.ErrWorkerDied):
			lost++
		}
	}
	return greetings, lost
}

// TestGreetAll: what does greetAll do when a worker dies under its second task?
func TestGreetAll(t *testing.T) {
	var faults pooltest.Faults
	faults.Strike(1, worker.Strike{Step: worker.StepBegun, Nth: 2, Blow: worker.BlowKill})
	greetings, lost := greetAll(t.Context(), faults.NewPool(t, pool.Config{Workers: 1}), "Ann", "Bob", "Cem")
	if fmt.Sprint(greetings) != "[hello, Ann hello, Cem]" || lost != 1 {
		t.Errorf("%q, and %d lost", greetings, lost)
	}
}
