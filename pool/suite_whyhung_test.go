package pool_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// hangTime is for how long they hang: an abandoned goroutine must end before the
// tests do.
const hangTime = 2 * time.Second

// The functions that tasks of this file hang in, by name: what stacks must tell.

func hangSpinning() {
	for from := time.Now(); time.Since(from) < hangTime; {
	}
}

func hangSleeping() { time.Sleep(hangTime) }

func hangLocked() {
	var mu sync.Mutex
	mu.Lock()
	release := time.AfterFunc(hangTime, mu.Unlock)
	defer release.Stop()
	mu.Lock()
}

func hangWaiting() {
	var child, grandchild sync.WaitGroup
	child.Go(func() {
		grandchild.Go(hangSleeping)
		grandchild.Wait()
	})
	child.Wait()
}

var hangs = map[string]func(){
	"hangSpinning": hangSpinning, "hangSleeping": hangSleeping, "hangLocked": hangLocked, "hangWaiting": hangWaiting,
}

// hangIn hangs in one of them, heedless of its context, for hangTime.
var hangIn = pool.NewTask("hangIn", func(_ context.Context, name string) (none, error) {
	hangs[name]()
	return none{}, nil
})

// tells reports whether a stack names a function of this file, and its line.
func tells(stack, function string) bool {
	_, frame, found := strings.Cut(stack, "pool_test."+function+"(")
	return found && strings.Contains(frame, "suite_whyhung_test.go:")
}

// TestWhyHung: the error of a task whose time was up tells where it was.
func TestWhyHung(t *testing.T) {
	config := pool.Config{Workers: 2, Grace: 800 * time.Millisecond, Spares: 1}
	overKinds(t, "at its deadline", func(t *testing.T, open opener) {
		p := open(t, config)
		fs := map[string]*futures.Future[none]{}
		for name := range hangs {
			fs[name] = hangIn.Submit(t.Context(), p, name, pool.WithTimeout(50*time.Millisecond))
		}
		for name, f := range fs {
			err := failure[*pool.TimeoutError](t, f)
			if !tells(err.Stack, name) {
				t.Errorf("%s is not in the stack:\n%s", name, err.Stack)
			}
			if name == "hangWaiting" && !tells(err.Stack, "hangSleeping") {
				t.Errorf("the stack lacks the goroutine that the task waits for:\n%s", err.Stack)
			}
			if name != "hangWaiting" && strings.Count(err.Stack, "goroutine ") > 2 { // its own header, and who created it
				t.Errorf("%s: more than the task's stack:\n%s", name, err.Stack)
			}
			if long, short := fmt.Sprintf("%+v", err), fmt.Sprintf("%v", err); !tells(long, name) || !strings.HasPrefix(long, short) || tells(short, name) {
				t.Errorf("printed as %s\nand as %s", short, long)
			}
		}
	})
	overKinds(t, "silent", func(t *testing.T, open opener) {
		f := hangIn.Submit(t.Context(), open(t, config), "hangLocked", pool.WithSilenceTimeout(50*time.Millisecond))
		if err := failure[*pool.SilenceError](t, f); !tells(err.Stack, "hangLocked") || !tells(fmt.Sprintf("%+v", err), "hangLocked") {
			t.Errorf("got %+v", err)
		}
	})
}
