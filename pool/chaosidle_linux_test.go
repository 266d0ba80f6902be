package pool_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime"
)

// TestChaosIdle, L7: a pool with nothing to do wakes nobody, its workers included.
func TestChaosIdle(t *testing.T) {
	t.Parallel()
	host, err := runtime.Start(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	p := newProcessPool(t, pool.Config{Workers: 2, Host: host})
	eventually(t, "all are ready", func() bool { return p.Stats().Ready == 2 })
	var pids []int
	var slowest time.Duration
	for len(pids) < 2 {
		begin := time.Now()
		if pid := workerPID(t, p); !slices.Contains(pids, pid) {
			pids = append(pids, pid)
			hold := running(t, sleep.Submit(t.Context(), p, 200*time.Millisecond)) // so that the next is the other
			defer hold.Cancel()
		}
		slowest = max(slowest, time.Since(begin))
	}
	time.Sleep(time.Second) // the runtimes of workers that have just begun settle
	lastLook(slowest)
	if host.Reactor().Stats().Backend == reactor.BackendPoll {
		return // it wakes up to look
	}
	before, reactorBefore := switches(t, pids), host.Reactor().Stats().Wakeups
	time.Sleep(10 * time.Second) // the time is the test
	after, reactorAfter := switches(t, pids), host.Reactor().Stats().Wakeups
	t.Logf("in 10 s: %d wake-ups of the reactor, %d of the workers", reactorAfter-reactorBefore, after-before)
	if reactorAfter != reactorBefore {
		t.Errorf("%d wake-ups of the reactor", reactorAfter-reactorBefore)
	}
	if after-before > 2*len(pids) { // Go's own monitor looks once in two minutes
		t.Errorf("%d wake-ups of the workers", after-before)
	}
}

// switches counts how often the threads of processes gave up a processor.
func switches(t testing.TB, pids []int) (sum int) {
	t.Helper()
	for _, pid := range pids {
		for _, file := range globs(t, fmt.Sprintf("/proc/%d/task/*/status", pid)) {
			data, _ := os.ReadFile(file)
			for line := range strings.Lines(string(data)) {
				if n, ok := strings.CutPrefix(line, "voluntary_ctxt_switches:"); ok {
					sum += atoi(strings.TrimSpace(n))
				}
			}
		}
	}
	return sum
}
