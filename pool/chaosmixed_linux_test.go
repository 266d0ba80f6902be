package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/runtime"
)

// TestChaosMixed: everything at once. Pools come and go under tasks, maps, liars and
// large arguments, while an outsider kills and stops workers, takes the host's
// descriptors, interrupts its system calls, and has the pool resized and shut down
// at any moment. Each future settles once, nothing runs twice, all adds up, and
// nothing is left.
func TestChaosMixed(t *testing.T) {
	noLeaks(t)
	length := 5 * time.Second
	if fewer {
		length = 2 * time.Second
	}
	length = max(length, *chaosTime)
	host, err := runtime.Start(runtime.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	defer interruptions(t)()
	random := rand.New(rand.NewPCG(newSeed(t), 2))
	for end := time.Now().Add(length); time.Now().Before(end) && !t.Failed(); {
		newMelee(t, host, random).run()
	}
	fmt.Println("chaos:", &chaosSum)
}

// interruptions sends this program a signal every millisecond, and returns how to
// end that.
func interruptions(t testing.TB) (end func()) {
	heard, over := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(heard, syscall.SIGUSR1)
	var all sync.WaitGroup
	all.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
					t.Error(err)
				}
			}
		}
	})
	return func() {
		close(over)
		all.Wait()
		signal.Ignore(syscall.SIGUSR1) // one may be on its way yet
		signal.Stop(heard)
	}
}

// melee is one pool's life in it.
type melee struct {
	t      *testing.T
	host   *runtime.Host
	random *rand.Rand
	pool   *pool.ProcessPool
	log    string

	chores []*futures.Future[int]
	calls  []atomic.Int32
	others []futures.Awaitable
	mapped []outcome[int]
	loop   sync.WaitGroup // of the map
	kills  int
}

const (
	meleeChores = 400
	meleeItems  = 200
)

func newMelee(t *testing.T, host *runtime.Host, random *rand.Rand) *melee {
	return &melee{
		t: t, host: host, random: random, log: t.TempDir() + "/log", calls: make([]atomic.Int32, meleeChores),
		pool: newProcessPool(t, pool.Config{
			Workers: 2 + random.IntN(4), Host: host, TaskTimeout: time.Second, Grace: 10 * time.Millisecond,
			StopTimeout: 100 * time.Millisecond, MaxFailures: 1 << 30, Logger: slog.New(slog.DiscardHandler),
		}),
	}
}

func (m *melee) run() {
	m.submit()
	for range 10 + m.random.IntN(40) {
		m.disturb()
		time.Sleep(time.Duration(m.random.IntN(5_000)) * time.Microsecond)
	}
	mode := []pool.ShutdownMode{pool.Drain, pool.Drain, pool.CancelPending, pool.Kill}[m.random.IntN(4)]
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	if err := m.pool.Shutdown(ctx, mode); err != nil {
		m.t.Errorf("shutdown by %v: %v; %+v", mode, err, m.pool.Stats())
	}
	m.check()
}

// submit submits what there is to do.
func (m *melee) submit() {
	for n := range meleeChores {
		f := doChore.Submit(m.t.Context(), m.pool, chore{m.log, n, time.Duration(m.random.IntN(3000)) * time.Microsecond})
		f.OnDone(func(*futures.Future[int]) { m.calls[n].Add(1) })
		m.chores = append(m.chores, f)
		switch m.random.IntN(60) {
		case 0:
			m.others = append(m.others, writeRaw.Submit(m.t.Context(), m.pool, []byte("GET / HTTP/1.1\r\n\r\n")))
		case 1:
			m.others = append(m.others, length.Submit(m.t.Context(), m.pool, make([]byte, 1<<20)))
		case 2:
			m.others = append(m.others, fill.Submit(m.t.Context(), m.pool, 1<<20))
		case 3:
			m.others = append(m.others, sleepOn.Submit(m.t.Context(), m.pool, time.Hour, pool.WithTimeout(50*time.Millisecond)))
		case 4:
			m.chores[m.random.IntN(n+1)].Cancel()
		}
	}
	in := func(yield func(chore) bool) {
		for n := range meleeItems {
			if !yield(chore{m.log, meleeChores + n, 100 * time.Microsecond}) {
				return
			}
		}
	}
	m.loop.Go(func() { m.mapped = collect(doChore.Map(m.t.Context(), m.pool, in, pool.WithChunkSize(20))) })
}

// disturb does one thing that a pool must bear.
func (m *melee) disturb() {
	switch m.random.IntN(8) {
	case 0, 1, 2:
		if pid := m.worker(); pid > 1 && syscall.Kill(pid, syscall.SIGKILL) == nil {
			m.kills++
		}
	case 3, 4:
		if pid := m.worker(); pid > 1 && syscall.Kill(pid, syscall.SIGSTOP) == nil {
			time.Sleep(time.Duration(m.random.IntN(20)) * time.Millisecond)
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	case 5:
		if err := m.pool.Resize(1 + m.random.IntN(6)); err != nil {
			m.t.Error(err)
		}
	case 6:
		m.withoutDescriptors(time.Duration(m.random.IntN(20)) * time.Millisecond)
	case 7:
		_ = m.pool.Stats()
		_ = m.pool.Insights()
	}
}

// worker returns one, or 0.
func (m *melee) worker() int {
	children := m.host.Children()
	if len(children) == 0 {
		return 0
	}
	return children[m.random.IntN(len(children))].PID
}

// withoutDescriptors lets this program open nothing for a while.
func (m *melee) withoutDescriptors(d time.Duration) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		m.t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: limit.Max}); err != nil {
		m.t.Fatal(err)
	}
	time.Sleep(d)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		m.t.Fatal(err)
	}
}

// check holds what was told against what the log says.
func (m *melee) check() {
	m.loop.Wait()
	ran := make([]int, meleeChores+meleeItems)
	for _, line := range lines(m.t, m.log) {
		n, _, _ := strings.Cut(line, " ")
		ran[atoi(n)]++
	}
	for n, f := range m.chores {
		got, err := result(m.t, f)
		least, most := 0, 1
		switch {
		case err == nil:
			least = 1
		case errors.Is(err, futures.ErrCancelled):
			most = 0
		}
		if err == nil && got != n || ran[n] < least || ran[n] > most {
			m.t.Errorf("task %d ran %d times: %d, %v", n, ran[n], got, err)
		}
	}
	for _, f := range m.others {
		awaitSettled(m.t, f)
	}
	for n, o := range m.mapped {
		if n := meleeChores + n; n < len(ran) && (ran[n] > 1 || o.err == nil && (o.out != n || ran[n] != 1)) {
			m.t.Errorf("item %d ran %d times: %d, %v", n, ran[n], o.out, o.err)
		}
	}
	for n := range m.calls {
		eventually(m.t, "the future has called back", func() bool { return m.calls[n].Load() > 0 })
		if calls := m.calls[n].Load(); calls != 1 {
			m.t.Errorf("task %d called back %d times", n, calls)
		}
	}
	s := m.pool.Stats()
	chaosSum.add(m.kills, int(s.Submitted), int(s.Settled()))
}
