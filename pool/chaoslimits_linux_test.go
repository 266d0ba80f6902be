package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime"
	"github.com/stint-go/stint/runtime/subprocess"
)

// This file is the part of the chaos suite that measures. Each limit is taken
// beside what the machine needs for the same without this library, in the same run:
// a busy machine is no fault.

// allowed is the time that a test may take: the limit, or what three times as much
// as the bare machine's is, and the time for which other programs had the processors
// meanwhile.
func allowed(limit, raw, stolen time.Duration) time.Duration { return max(limit, 3*raw) + stolen }

// stolenClock tells how long this program has been ready to run and did not.
func stolenClock(t testing.TB) func() time.Duration {
	t.Helper()
	waited := func() (sum time.Duration) {
		for _, file := range globs(t, "/proc/self/task/*/schedstat") {
			var ran, waits int64
			if data, err := os.ReadFile(file); err == nil {
				_, _ = fmt.Sscan(string(data), &ran, &waits)
				sum += time.Duration(waits)
			}
		}
		return sum
	}
	before := waited()
	return func() time.Duration { return max(0, waited()-before) }
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

// TestChaosCrowd, L2: the exits of 500 children that are killed together are all
// delivered within a second.
func TestChaosCrowd(t *testing.T) {
	noLeaks(t)
	crowd := 500
	if fewer {
		crowd = 100
	}
	r, err := reactor.New(reactor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	bare := make([]*os.Process, crowd)
	for i := range bare {
		bare[i] = sleeper(t)
	}
	begin := time.Now()
	for _, p := range bare {
		send(t, p.Pid, syscall.SIGKILL)
	}
	for _, p := range bare {
		_, _ = p.Wait()
	}
	raw := time.Since(begin)

	exits := make(chan reactor.Exit, crowd)
	watches := make([]*reactor.Watch, crowd)
	for i := range watches {
		p := sleeper(t)
		if watches[i], err = r.Watch(p, func(e reactor.Exit) { exits <- e }, reactor.WithGroup()); err != nil {
			t.Fatal(err)
		}
		_ = p.Release()
	}
	stolen := stolenClock(t)
	begin = time.Now()
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
	took, waited := time.Since(begin), stolen()
	t.Logf("%d exits in %v; bare: %v; others had the processors for %v", crowd, took, raw, waited)
	if limit := allowed(time.Second, raw, waited); took > limit {
		t.Errorf("%d exits took %v, over %v", crowd, took, limit)
	}
	chaosSum.add(crowd, 0, 0)
}

// TestChaosSpawn, L3: processes start and end at half the rate of os/exec, or more.
func TestChaosSpawn(t *testing.T) {
	noLeaks(t)
	rounds, each := 10, 200
	switch {
	case fewer:
		rounds, each = 4, 50
	case *chaosTime > 0:
		rounds = 50
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
	var ours, theirs []time.Duration
	run := func(rounds *[]time.Duration, one func() error) {
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
		*rounds = append(*rounds, time.Since(begin))
	}
	for range rounds {
		run(&theirs, func() error { return exec.Command(path).Run() })
		run(&ours, func() error {
			c := subprocess.Command(path)
			c.Host = host
			_, err := subprocess.Run(t.Context(), c)
			return err
		})
	}
	best, bestOfTheirs := slices.Min(ours), slices.Min(theirs) // the rounds that others disturbed least
	t.Logf("%d spawns and exits in %v, with os/exec in %v: %.2f of its rate", each, best, bestOfTheirs, float64(bestOfTheirs)/float64(best))
	if best > 2*bestOfTheirs && !raceEnabled { // the detector slows this library, not the system
		t.Errorf("%d took %v, and %v with os/exec", each, best, bestOfTheirs)
	}
}

// percentile returns the 99th of a hundred.
func percentile(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)*99/100]
}

// TestChaosTimeouts, L4: of tasks that time out together all settle soon after their
// deadline: 99 of 100 within 100 ms.
func TestChaosTimeouts(t *testing.T) {
	noLeaks(t)
	heeds := func(t *testing.T, p pool.Pool, tasks int) (late []time.Duration) {
		const limit = 400 * time.Millisecond
		var mu sync.Mutex
		var all []*futures.Future[none]
		begun := make([]time.Time, 0, tasks)
		for range tasks {
			f := untilTimeout.Submit(t.Context(), p, none{}, pool.WithTimeout(limit))
			f.OnDone(func(f *futures.Future[none]) {
				now := time.Now()
				var timeout *pool.TimeoutError
				if errors.As(f.Err(context.Background()), &timeout) {
					mu.Lock()
					late = append(late, now.Sub(begun[0])-limit)
					mu.Unlock()
				}
			})
			mu.Lock()
			begun = append(begun, time.Now())
			mu.Unlock()
			all = append(all, f)
		}
		for _, f := range all {
			awaitSettled(t, f)
		}
		eventually(t, "all have called back", func() bool { mu.Lock(); defer mu.Unlock(); return len(late) == tasks })
		return late
	}
	t.Run("goroutines", func(t *testing.T) {
		tasks := 1000
		if fewer {
			tasks = 200
		}
		raw := bareTimeouts(tasks)
		p := newGoroutinePool(t, pool.Config{Workers: tasks})
		stolen := stolenClock(t)
		late, waited := percentile(heeds(t, p, tasks)), stolen()
		t.Logf("%d timeouts, from the first's beginning: p99 %v; bare: %v; others had the processors for %v", tasks, late, raw, waited)
		if limit := allowed(100*time.Millisecond, raw, waited); late > limit {
			t.Errorf("p99 is %v, over %v", late, limit)
		}
		chaosSum.add(0, tasks, tasks)
	})
	t.Run("processes", func(t *testing.T) {
		tasks := 50
		if *chaosTime > 0 {
			tasks = 1000
		}
		raw := bareKills(t, tasks)
		p := newProcessPool(t, pool.Config{Workers: tasks, Spares: pool.NoSpares, StartTimeout: 5 * patience})
		for deadline := time.Now().Add(5 * patience); p.Stats().Ready < tasks && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		stolen := stolenClock(t)
		late, waited := percentile(heeds(t, p, tasks)), stolen()
		t.Logf("%d timeouts, from the first's beginning: p99 %v; so many bare kills: %v; others had the processors for %v", tasks, late, raw, waited)
		if limit := allowed(100*time.Millisecond, raw, waited); late > limit {
			t.Errorf("p99 is %v, over %v", late, limit)
		}
		chaosSum.add(0, tasks, tasks)
	})
}

// untilTimeout heeds its deadline.
var untilTimeout = pool.NewTask("untilTimeout", func(ctx context.Context, _ none) (none, error) {
	<-ctx.Done()
	return none{}, ctx.Err()
})

// bareTimeouts is what so many timeouts that fire together cost without a pool: the
// contexts, the goroutines, and the stacks that errors tell.
func bareTimeouts(n int) time.Duration {
	ctx, cancel := context.WithCancel(context.Background())
	var ready, all sync.WaitGroup
	ready.Add(n)
	for range n {
		all.Go(func() {
			ready.Done()
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			<-ctx.Done()
		})
	}
	ready.Wait()
	begin := time.Now()
	buffer := make([]byte, 64<<20)
	goruntime.Stack(buffer, true)
	cancel()
	all.Wait()
	return time.Since(begin)
}

// bareKills is how long it takes to kill so many processes as large as a worker, and
// to see them gone.
func bareKills(t testing.TB, n int) time.Duration {
	t.Helper()
	var all []*exec.Cmd
	for range n {
		cmd := program(t.Context(), "waits")
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := pipe.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	begin := time.Now()
	for _, cmd := range all {
		send(t, cmd.Process.Pid, syscall.SIGKILL)
	}
	for _, cmd := range all {
		_ = cmd.Wait()
	}
	return time.Since(begin)
}

func init() {
	programs["waits"] = func() {
		fmt.Print("!")
		select {}
	}
}

// TestChaosKillLatency, L6: from SIGKILL to the message of the exit it is 5 ms at
// most, in 99 of 100 cases, and 50 ms while others use all processors.
func TestChaosKillLatency(t *testing.T) {
	noLeaks(t)
	n := 100
	if fewer {
		n = 20
	}
	r, err := reactor.New(reactor.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	measure := func(t *testing.T, limit time.Duration) {
		stolen := stolenClock(t)
		var bare, ours []time.Duration
		for range n {
			p := sleeper(t)
			begin := time.Now()
			send(t, p.Pid, syscall.SIGKILL)
			_, _ = p.Wait()
			bare = append(bare, time.Since(begin))

			p = sleeper(t)
			exited := make(chan time.Time, 1)
			w, err := r.Watch(p, func(reactor.Exit) { exited <- time.Now() }, reactor.WithGroup())
			if err != nil {
				t.Fatal(err)
			}
			_ = p.Release()
			begin = time.Now()
			if err := w.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			select {
			case at := <-exited:
				ours = append(ours, at.Sub(begin))
			case <-time.After(patience):
				t.Fatal("an exit was not told")
			}
		}
		raw, got, waited := percentile(bare), percentile(ours), stolen()
		if r.Stats().Backend == reactor.BackendPoll {
			limit += 40 * time.Millisecond // how often it looks
		}
		t.Logf("SIGKILL to the message: p99 %v, p50 %v; bare: p99 %v, p50 %v; others had the processors for %v", got, ours[n/2], raw, bare[n/2], waited)
		if limit := allowed(limit, raw, waited); got > limit {
			t.Errorf("p99 is %v, over %v", got, limit)
		}
		chaosSum.add(2*n, 0, 0)
	}
	t.Run("idle", func(t *testing.T) { measure(t, 5*time.Millisecond) })
	t.Run("saturated", func(t *testing.T) {
		for range goruntime.NumCPU() {
			cmd := exec.Command("sh", "-c", "while :; do :; done")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			}()
		}
		measure(t, 50*time.Millisecond)
	})
}

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
	for len(pids) < 2 {
		if pid := workerPID(t, p); !slices.Contains(pids, pid) {
			pids = append(pids, pid)
			hold := running(t, sleep.Submit(t.Context(), p, 200*time.Millisecond)) // so that the next is the other
			defer hold.Cancel()
		}
	}
	time.Sleep(time.Second) // the runtimes of workers that have just begun settle
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
