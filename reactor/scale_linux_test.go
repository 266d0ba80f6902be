package reactor_test

import (
	"os"
	"runtime/debug"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor"
)

// scale is what a watch costs beside a number of others, at best.
type scale struct {
	reactor           *reactor.Reactor
	others            int
	begin, stop, exit time.Duration
}

// TestCostDoesNotGrow: to begin a watch, to stop one and to hear of an exit cost
// the same among 1000 others and among 10,000. What would look at each of the others
// would cost ten times as much.
func TestCostDoesNotGrow(t *testing.T) {
	if !alone(t) {
		return
	}
	const rounds, most = 40, 3
	many := 10_000
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	const fewest, spare = 4000, 500
	if many = int(min(uint64(many), (max(limit.Cur, spare)-spare)*10/11)); many < fewest {
		t.Skipf("this machine allows no more than %d descriptors here, of which each watch needs one", limit.Cur)
	}
	sleeper := start(t, tool(t, "sleep", "1000"))
	defer endProcess(t, sleeper)
	scales := []*scale{newScale(t, sleeper, many/10), newScale(t, sleeper, many)}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection is not the reactor's
	for range rounds {
		for _, s := range scales {
			s.measure(t, sleeper)
		}
	}
	few, all := scales[0], scales[1]
	for what, cost := range map[string][2]time.Duration{
		"beginning a watch": {few.begin, all.begin},
		"stopping a watch":  {few.stop, all.stop},
		"an exit":           {few.exit, all.exit},
	} {
		t.Logf("%s: %v among %d, %v among %d", what, cost[0], few.others, cost[1], all.others)
		if cost[1] > most*cost[0] {
			t.Errorf("%s takes %v among %d others, %v among %d", what, cost[0], few.others, cost[1], all.others)
		}
	}
}

func newScale(t *testing.T, sleeper *os.Process, others int) *scale {
	t.Helper()
	s := &scale{reactor: open(t, reactor.BackendPidfd), others: others}
	for range others {
		s.watch(t, sleeper, func(reactor.Exit) {})
	}
	return s
}

func (s *scale) watch(t *testing.T, p *os.Process, deliver func(reactor.Exit)) *reactor.Watch {
	t.Helper()
	w, err := s.reactor.Observe(p.Pid, deliver)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// measure begins some watches and stops them, and begins some of a process that then
// ends: so all of these exits are told in a row.
func (s *scale) measure(t *testing.T, sleeper *os.Process) {
	t.Helper()
	const n = 100
	least := func(cost *time.Duration, took time.Duration) {
		if took /= n; *cost == 0 || took < *cost {
			*cost = took
		}
	}
	watches := make([]*reactor.Watch, n)
	begin := time.Now()
	for i := range watches {
		watches[i] = s.watch(t, sleeper, func(reactor.Exit) {})
	}
	least(&s.begin, time.Since(begin))
	begin = time.Now()
	for _, w := range watches {
		w.Stop()
	}
	least(&s.stop, time.Since(begin))

	mortal := start(t, tool(t, "sleep", "1000"))
	exits := make(chan time.Time, n+1)
	for range n + 1 {
		s.watch(t, mortal, func(reactor.Exit) { exits <- time.Now() })
	}
	endProcess(t, mortal)
	var first, last time.Time
	for i := range n + 1 {
		if last = <-exits; i == 0 {
			first = last
		}
	}
	least(&s.exit, last.Sub(first))
}
