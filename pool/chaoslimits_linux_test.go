package pool_test

import (
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime"
	"github.com/stint-go/stint/runtime/subprocess"
)

// This file and chaoslatency_linux_test.go are the part of the chaos suite that
// measures.

// keepsLimit has rounds measured until one shows that a limit is kept. Each measures
// twice, one right after the other: what the machine needs for something by itself,
// and what the library needs for the same. A machine with nothing else to do
// is quick, and then the limit stands as it is; on one that is slow at this very
// moment the library is slow, too, and has so much longer. A fault
// of the library is there in every round; a disturbance that only the one half of a
// round met with is not.
func keepsLimit(t *testing.T, rounds int, limit time.Duration, round func() (bare, ours time.Duration)) {
	t.Helper()
	for n := 1; ; n++ {
		bare, ours := round()
		may := limit
		if bare > limit/5 {
			may += 2 * bare
		}
		t.Logf("round %d: %v of %v; bare: %v", n, ours, may, bare)
		switch {
		case ours <= may:
			return
		case n == rounds:
			t.Errorf("%v is over %v, in the last of %d rounds as in all before", ours, may, n)
			return
		}
	}
}

// sleeper starts a process that does nothing.
func sleeper(t testing.TB) *os.Process {
	t.Helper()
	path, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	p, err := os.StartProcess(path, []string{"sleep", "1000"}, &os.ProcAttr{Sys: &syscall.SysProcAttr{Setpgid: true}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// watchedSleeper starts one whose exit the reactor tells.
func watchedSleeper(t testing.TB, r *reactor.Reactor, told func(reactor.Exit)) *reactor.Watch {
	t.Helper()
	p := sleeper(t)
	w, err := r.Watch(p, told, reactor.WithGroup())
	if err != nil {
		t.Fatal(err)
	}
	_ = p.Release()
	return w
}

func newReactor(t testing.TB) *reactor.Reactor {
	t.Helper()
	r, err := reactor.New(reactor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// TestChaosCrowd, L2: the exits of 500 children that are killed together are all
// delivered within a second.
func TestChaosCrowd(t *testing.T) {
	noLeaks(t)
	crowd := 500
	if fewer {
		crowd = 100
	}
	r := newReactor(t)
	keepsLimit(t, 5, time.Second, func() (bare, ours time.Duration) {
		chaosSum.add(2*crowd, 0, 0)
		return bareCrowd(t, crowd), toldCrowd(t, r, crowd)
	})
}

// bareCrowd kills a crowd and waits for one after the other.
func bareCrowd(t testing.TB, crowd int) time.Duration {
	t.Helper()
	all := make([]*os.Process, crowd)
	for i := range all {
		all[i] = sleeper(t)
	}
	begin := time.Now()
	for _, p := range all {
		send(t, p.Pid, syscall.SIGKILL)
	}
	for _, p := range all {
		_, _ = p.Wait()
	}
	return time.Since(begin)
}

// toldCrowd kills a crowd and waits until the reactor has told of all.
func toldCrowd(t testing.TB, r *reactor.Reactor, crowd int) time.Duration {
	t.Helper()
	exits := make(chan reactor.Exit, crowd)
	watches := make([]*reactor.Watch, crowd)
	for i := range watches {
		watches[i] = watchedSleeper(t, r, func(e reactor.Exit) { exits <- e })
	}
	begin := time.Now()
	for _, w := range watches {
		if err := w.Signal(syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
	for n := range crowd {
		select {
		case e := <-exits:
			if e.Signal != syscall.SIGKILL {
				t.Errorf("an exit is %v", e)
			}
		case <-time.After(patience):
			t.Fatalf("%d of %d exits came", n, crowd)
		}
	}
	return time.Since(begin)
}

// TestChaosSpawn, L3: processes start and end at half the rate of os/exec, or more.
// The two take turns until the best turns of both, those that others disturbed least,
// show it.
func TestChaosSpawn(t *testing.T) {
	noLeaks(t)
	turns, each, share := 10, 200, 0.5
	switch {
	case raceEnabled: // the detector slows this library, and not what the kernel has to do
		turns, each, share = 4, 50, 0.25
	case fewer:
		turns, each = 4, 50
	case *chaosTime > 0:
		turns = 50
	}
	host, err := runtime.Start(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	path, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	turn := func(one func() error) time.Duration {
		begin := time.Now()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range each / 4 {
					if err := one(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		return time.Since(begin)
	}
	var ours, theirs []time.Duration
	var rate float64
	for n := 0; n < turns || rate < share && n < 10*turns; n++ {
		theirs = append(theirs, turn(func() error { return exec.Command(path).Run() }))
		ours = append(ours, turn(func() error {
			c := subprocess.Command(path)
			c.Host = host
			_, err := subprocess.Run(t.Context(), c)
			return err
		}))
		rate = float64(slices.Min(theirs)) / float64(slices.Min(ours))
	}
	t.Logf("%d spawns and exits in %v, with os/exec in %v: %.2f of its rate, in %d turns", each, slices.Min(ours), slices.Min(theirs), rate, len(ours))
	if rate < share {
		t.Errorf("%.2f of the rate of os/exec, less than %.2f", rate, share)
	}
}
