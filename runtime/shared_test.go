package runtime_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime"
)

// The shared host lives from its first user to its last, and then another one
// does.
func TestShare(t *testing.T) {
	leaktest.Check(t)
	var last *runtime.Host
	for range 3 {
		first, releaseFirst := share(t)
		second, releaseSecond := share(t)
		if first != second || first == last {
			t.Errorf("hosts %p, %p, and before %p", first, second, last)
		}
		for range 3 { // once counts
			if err := releaseFirst(); err != nil {
				t.Error(err)
			}
		}
		if err := use(second); err != nil {
			t.Errorf("one of two users has left: %v", err)
		}
		third, releaseThird := share(t)
		if third != second {
			t.Error("it has changed though it had a user")
		}
		for _, release := range []func() error{releaseThird, releaseSecond} {
			if err := release(); err != nil {
				t.Error(err)
			}
		}
		if !closed(first) {
			t.Error("it outlives its last user")
		}
		last = first
	}
}

func share(t *testing.T) (*runtime.Host, func() error) {
	t.Helper()
	h, release, err := runtime.Share()
	if err != nil {
		t.Fatal(err)
	}
	return h, release
}

// Nobody who holds the shared host finds it closed, whoever comes and goes.
func TestShareHammer(t *testing.T) {
	leaktest.Check(t)
	var mu sync.Mutex
	hosts := map[*runtime.Host]bool{}
	var users sync.WaitGroup
	for range 8 {
		users.Go(func() {
			for range 200 {
				h, release, err := runtime.Share()
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				hosts[h] = true
				mu.Unlock()
				if rand.IntN(4) == 0 {
					if err := use(h); err != nil {
						t.Errorf("a host that is held: %v", err)
					}
				}
				if err := release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	users.Wait()
	for h := range hosts {
		if !closed(h) {
			t.Error("a host outlives its users")
		}
	}
	t.Logf("%d hosts", len(hosts))
}

// A shared host that cannot be started has no user, and the next one tries again.
func TestShareError(t *testing.T) {
	leaktest.Check(t)
	t.Run("wrong", func(t *testing.T) {
		t.Setenv("STINT_REACTOR", "no such back end")
		h, release, err := runtime.Share()
		var start *runtime.StartError
		if h != nil || release != nil || !errors.As(err, &start) || !errors.Is(err, reactor.ErrUnknownBackend) {
			t.Errorf("%v, %v", h, err)
		}
	})
	h, release := share(t)
	if err := use(h); err != nil {
		t.Error(err)
	}
	if err := release(); err != nil || !closed(h) {
		t.Errorf("closed %t, %v", closed(h), err)
	}
}
