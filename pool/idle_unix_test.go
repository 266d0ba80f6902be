//go:build unix

package pool_test

import (
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime"
)

// TestIdlePool: where the system tells of exits, a pool with nothing to do wakes
// nobody.
func TestIdlePool(t *testing.T) {
	t.Parallel()
	host, err := runtime.Start(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	p := newProcessPool(t, pool.Config{Workers: 3, Host: host})
	eventually(t, "all are ready", func() bool { return p.Stats().Ready == 3 })
	var slowest time.Duration
	for range 10 {
		begin := time.Now()
		workerPID(t, p)
		slowest = max(slowest, time.Since(begin))
	}
	lastLook(slowest)
	watched := 3
	if inForce, _ := host.Containment(); inForce != runtime.ContainGroup {
		watched++ // the guard
	}
	before := host.Reactor().Stats()
	if before.Watches != watched || before.Polled != 0 && before.Backend != reactor.BackendPoll {
		t.Errorf("the reactor: %+v", before)
	}
	time.Sleep(10 * time.Second) // the time is the test
	after := host.Reactor().Stats()
	if after.Wakeups != before.Wakeups && before.Backend != reactor.BackendPoll {
		t.Errorf("%d wake-ups in 10 s", after.Wakeups-before.Wakeups)
	}
	if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 {
		t.Errorf("afterwards: %d", got)
	}
	t.Logf("%+v", after)
}

// lastLook waits until what looked after tasks has looked for the last time, which is some 10 ms after
// the last began, and 5 s after one that its worker was slow to begin.
func lastLook(slowest time.Duration) {
	if slowest < 8*time.Millisecond {
		time.Sleep(200 * time.Millisecond)
	} else {
		time.Sleep(6 * time.Second)
	}
}
