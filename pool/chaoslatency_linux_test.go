package pool_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	goruntime "runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor"
)

// p99 is the time that 99 of 100 need at most.
func p99(of []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[(len(sorted)*99+99)/100-1]
}

// TestChaosTimeouts, L4: of tasks that time out together all settle soon after their
// deadline: 99 of 100 within 100 ms.
func TestChaosTimeouts(t *testing.T) {
	noLeaks(t)
	const limit, rounds = 100 * time.Millisecond, 20
	t.Run("goroutines", func(t *testing.T) {
		tasks := 1000
		if fewer {
			tasks = 200
		}
		p := newGoroutinePool(t, pool.Config{Workers: tasks})
		keepsLimit(t, rounds, limit, func() (bare, ours time.Duration) {
			return p99(bareTimeouts(tasks)), p99(timeouts(t, p, tasks, untilTimeout))
		})
	})
	t.Run("goroutines that are given up", func(t *testing.T) {
		const tasks = 200
		p := newGoroutinePool(t, pool.Config{Workers: tasks})
		keepsLimit(t, rounds, limit, func() (bare, ours time.Duration) {
			eventually(t, "those of the last round to return", func() bool { return p.Stats().Abandoned == 0 })
			return p99(bareTimeouts(tasks)), p99(timeouts(t, p, tasks, overTimeout))
		})
	})
	t.Run("processes that are killed", func(t *testing.T) {
		const tasks = 20
		p := newProcessPool(t, pool.Config{Workers: tasks, Spares: pool.NoSpares, Grace: pool.NoGrace, StartTimeout: 5 * patience})
		keepsLimit(t, rounds, limit, func() (bare, ours time.Duration) {
			awaitReady(p, tasks)
			chaosSum.add(tasks, 0, 0)
			return bareCrowd(t, tasks), p99(timeouts(t, p, tasks, overTimeout))
		})
	})
	t.Run("processes", func(t *testing.T) {
		tasks := 50
		switch {
		case fewer:
			tasks = 20
		case *chaosTime > 0:
			tasks = 1000
		}
		asked := newAsked(t, tasks)
		p := newProcessPool(t, pool.Config{Workers: tasks, Spares: pool.NoSpares, StartTimeout: 5 * patience})
		awaitReady(p, tasks)
		keepsLimit(t, rounds, limit, func() (bare, ours time.Duration) {
			return p99(asked.answers(t)), p99(timeouts(t, p, tasks, untilTimeout))
		})
	})
}

// awaitReady waits for a pool's workers, of which there are many.
func awaitReady(p *pool.ProcessPool, workers int) {
	for deadline := time.Now().Add(5 * patience); p.Stats().Ready < workers && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
}

// timeouts has tasks time out at the same moment, and returns how long after it each
// had settled.
func timeouts(t *testing.T, p pool.Pool, tasks int, task *pool.Task[none, none]) []time.Duration {
	t.Helper()
	late := make([]time.Duration, tasks)
	fs := make([]*futures.Future[none], tasks)
	var all sync.WaitGroup
	all.Add(tasks)
	moment := time.Now().Add(500 * time.Millisecond)
	for n := range fs {
		fs[n] = task.Submit(t.Context(), p, none{}, pool.WithTimeout(max(time.Until(moment), time.Millisecond)))
		fs[n].OnDone(func(*futures.Future[none]) {
			late[n] = time.Since(moment)
			all.Done()
		})
	}
	for _, f := range fs {
		failure[*pool.TimeoutError](t, f)
	}
	all.Wait()
	chaosSum.add(0, tasks, tasks)
	return late
}

var (
	// untilTimeout heeds its deadline.
	untilTimeout = pool.NewTask("untilTimeout", func(ctx context.Context, _ none) (none, error) {
		<-ctx.Done()
		return none{}, ctx.Err()
	})
	// overTimeout does not.
	overTimeout = pool.NewTask("overTimeout", func(ctx context.Context, _ none) (none, error) {
		<-ctx.Done()
		time.Sleep(500 * time.Millisecond)
		return none{}, ctx.Err()
	})
)

// bareTimeouts is how late so many goroutines notice the same deadline, and have the
// stacks of all that errors tell: taken twice, as those need that come while the first
// are being taken.
func bareTimeouts(n int) []time.Duration {
	late := make([]time.Duration, n)
	moment := time.Now().Add(100 * time.Millisecond)
	var stacks sync.Once
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			ctx, cancel := context.WithDeadline(context.Background(), moment)
			defer cancel()
			<-ctx.Done()
			stacks.Do(func() {
				for range 2 {
					goruntime.Stack(make([]byte, 8<<20), true)
				}
			})
			late[i] = time.Since(moment)
		})
	}
	all.Wait()
	return late
}

// asked are processes as large as a worker, each of which answers a byte.
type asked struct {
	ask    []io.WriteCloser
	answer *os.File
}

func newAsked(t testing.TB, n int) *asked {
	t.Helper()
	answer, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	a := &asked{answer: answer}
	var cmds []*exec.Cmd
	for range n {
		cmd := program(t.Context(), "answers")
		cmd.Stdout = w
		ask, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds, a.ask = append(cmds, cmd), append(a.ask, ask)
	}
	_ = w.Close()
	t.Cleanup(func() {
		for n, cmd := range cmds {
			_ = a.ask[n].Close()
			_ = cmd.Wait()
		}
		_ = answer.Close()
	})
	a.answers(t) // so that all are there
	return a
}

func init() {
	programs["answers"] = func() { _, _ = io.Copy(os.Stdout, os.Stdin) }
}

// answers asks all together, and returns how long it took until each had answered.
func (a *asked) answers(t testing.TB) (all []time.Duration) {
	t.Helper()
	begin := time.Now()
	for _, ask := range a.ask {
		if _, err := ask.Write([]byte("?")); err != nil {
			t.Fatal(err)
		}
	}
	answers := bufio.NewReader(a.answer)
	for range a.ask {
		if _, err := answers.ReadByte(); err != nil {
			t.Fatal(err)
		}
		all = append(all, time.Since(begin))
	}
	return all
}

// TestChaosKillLatency, L6: from SIGKILL to the message of the exit it is 5 ms at
// most, in 99 of 100 cases, and 50 ms while others use all processors.
func TestChaosKillLatency(t *testing.T) {
	noLeaks(t)
	r := newReactor(t)
	measure := func(t *testing.T, rounds int, limit time.Duration) {
		if r.Stats().Backend == reactor.BackendPoll {
			limit += 40 * time.Millisecond // how often it looks
		}
		n := 100
		if fewer {
			n = 20
		}
		keepsLimit(t, rounds, limit, func() (time.Duration, time.Duration) {
			var bare, ours []time.Duration
			for range n {
				bare, ours = append(bare, bareDeath(t)), append(ours, toldDeath(t, r))
			}
			chaosSum.add(2*n, 0, 0)
			if half := median(ours); half > limit+2*median(bare) { // what delays each of them is no disturbance
				return median(bare), half
			}
			return p99(bare), p99(ours)
		})
	}
	t.Run("idle", func(t *testing.T) { measure(t, 10, 5*time.Millisecond) })
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
		measure(t, 4, 50*time.Millisecond)
	})
}

// bareDeath is how long it takes from SIGKILL until a thread that waits has the exit.
func bareDeath(t testing.TB) time.Duration {
	t.Helper()
	p := sleeper(t)
	begin := time.Now()
	send(t, p.Pid, syscall.SIGKILL)
	_, _ = p.Wait()
	return time.Since(begin)
}

// toldDeath is how long it takes from SIGKILL until the reactor tells of the exit.
func toldDeath(t testing.TB, r *reactor.Reactor) time.Duration {
	t.Helper()
	exited := make(chan time.Time, 1)
	w := watchedSleeper(t, r, func(reactor.Exit) { exited <- time.Now() })
	begin := time.Now()
	if err := w.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case at := <-exited:
		return at.Sub(begin)
	case <-time.After(patience):
		t.Fatal("an exit was not told")
		return 0
	}
}
