//go:build unix

package pool_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/runtime/worker"
)

var (
	chaosSeed = flag.Uint64("chaos.seed", 0, "seed of the chaos tests; 0: a new one each time")
	chaosTime = flag.Duration("chaos", 0, "how long the chaos tests run, with the full sizes; 0: short")
)

// fewer says that the tests are run beside the plain ones, with the race detector or
// a fallback in force: smaller sizes show what is different there.
var fewer = raceEnabled || os.Getenv("STINT_REACTOR") != ""

// newSeed returns the seed of a test, and prints it for -chaos.seed to repeat it.
func newSeed(t testing.TB) uint64 {
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-chaos.seed=%d", seed)
	return seed
}

// chaosTally sums the suite up.
type chaosTally struct{ kills, tasks, settled, leaks atomic.Int64 }

var chaosSum chaosTally

func (c *chaosTally) add(kills, tasks, settled int) {
	c.kills.Add(int64(kills))
	c.tasks.Add(int64(tasks))
	c.settled.Add(int64(settled))
}

func (c *chaosTally) String() string {
	return fmt.Sprintf("%d kills, %d tasks, %d settlements, %d leaks", c.kills.Load(), c.tasks.Load(), c.settled.Load(), c.leaks.Load())
}

// chore notes in a log that it has begun, where and when it is told to sleep.
type chore struct {
	Log   string
	N     int
	Sleep time.Duration
}

var doChore = pool.NewTask("doChore", func(_ context.Context, c chore) (int, error) {
	if err := appendToFile(c.Log, fmt.Sprintf("%d %d", c.N, os.Getpid())); err != nil {
		return 0, err
	}
	time.Sleep(c.Sleep)
	return c.N, nil
})

// TestChaos: an outsider kills workers at random while they run thousands of
// short tasks. Every future settles once, no task that had begun runs again, and
// what is told of each is what its log says.
func TestChaos(t *testing.T) {
	for name, strike := range map[string]func(*outsider, int){
		"SIGKILL":                      (*outsider).kill,
		"SIGKILL and SIGSTOP, SIGCONT": (*outsider).killOrStop,
	} {
		t.Run(name, func(t *testing.T) {
			seed := newSeed(t)
			c := newChaos(t, seed, chaosTasks, chaosKills, 500*time.Microsecond, 4)
			o := &outsider{chaos: c, random: rand.New(rand.NewPCG(seed, 1)), strike: strike}
			c.submit()
			o.rage()
			c.check(o)
		})
	}
}

const (
	chaosTasks = 5000
	chaosKills = 100
)

type chaos struct {
	t       *testing.T
	random  *rand.Rand
	log     string
	pool    *pool.ProcessPool
	workers int
	kills   int                    // that are to be made
	longest time.Duration          // a task
	futures []*futures.Future[int] // of all tasks
	calls   []atomic.Int32         // back, of each future
}

func newChaos(t *testing.T, seed uint64, tasks, kills int, longest time.Duration, workers int) *chaos {
	return &chaos{
		t: t, random: rand.New(rand.NewPCG(seed, 0)), log: t.TempDir() + "/log",
		pool: newProcessPool(t, pool.Config{Workers: workers}), workers: workers, kills: kills, longest: longest,
		futures: make([]*futures.Future[int], tasks), calls: make([]atomic.Int32, tasks),
	}
}

// submit submits all tasks and cancels a few.
func (c *chaos) submit() {
	for n := range c.futures {
		c.futures[n] = doChore.Submit(c.t.Context(), c.pool, chore{c.log, n, time.Duration(c.random.Int64N(int64(c.longest)))},
			pool.WithPriority(c.random.IntN(2)), pool.WithQueue([]string{"", "a"}[c.random.IntN(2)]))
		c.futures[n].OnDone(func(*futures.Future[int]) { c.calls[n].Add(1) })
		if n%50 == 49 {
			c.futures[n-c.random.IntN(50)].Cancel()
		}
	}
}

// outsider is somebody who sends signals to workers, of which it knows only
// what they have written into the log.
type outsider struct {
	*chaos
	random *rand.Rand
	strike func(o *outsider, worker int)
	kills  int
	offset int64 // of the log
	recent []int // who wrote the last lines
	begun  int   // lines
}

// rage strikes again and again, all along the tasks' way.
func (o *outsider) rage() {
	for o.kills < o.chaos.kills {
		next := o.begun + 1 + o.random.IntN(len(o.futures)*8/10/o.chaos.kills)
		eventually(o.t, "more tasks have begun", func() bool { o.look(); return o.begun >= next || o.settled() })
		if o.settled() {
			o.t.Fatalf("the tasks were through after %d kills", o.kills)
		}
		o.strike(o, o.recent[o.random.IntN(len(o.recent))])
	}
}

// look reads what is new in the log.
func (o *outsider) look() {
	f, err := os.Open(o.log)
	if errors.Is(err, os.ErrNotExist) {
		return
	} else if err != nil {
		o.t.Fatal(err)
	}
	defer f.Close()
	buffer := make([]byte, 64<<10)
	n, _ := f.ReadAt(buffer, o.offset)
	end := strings.LastIndexByte(string(buffer[:n]), '\n') + 1
	o.offset += int64(end)
	for line := range strings.Lines(string(buffer[:end])) {
		_, worker, _ := strings.Cut(strings.TrimSpace(line), " ")
		o.begun++
		o.recent = append(o.recent, atoi(worker))
	}
	o.recent = o.recent[max(0, len(o.recent)-10):]
}

func (o *outsider) settled() bool { return o.pool.Stats().Settled() == uint64(len(o.futures)) }

func (o *outsider) kill(worker int) {
	if syscall.Kill(worker, syscall.SIGKILL) == nil {
		o.kills++
	}
}

func (o *outsider) killOrStop(worker int) {
	o.kill(worker)
	worker = o.recent[o.random.IntN(len(o.recent))]
	if syscall.Kill(worker, syscall.SIGSTOP) == nil {
		time.AfterFunc(time.Duration(o.random.IntN(20))*time.Millisecond, func() { _ = syscall.Kill(worker, syscall.SIGCONT) })
	}
}

// check holds what the futures say against what the log says.
func (c *chaos) check(o *outsider) {
	var succeeded, lost, cancelled uint64
	told := make([]futures.State, len(c.futures))
	victims := make(map[int]int) // worker → a task that it took along
	for n, f := range c.futures {
		got, err := result(c.t, f)
		told[n] = f.State()
		var died *pool.WorkerError
		switch {
		case err == nil && got == n:
			succeeded++
		case errors.As(err, &died) && died.Exit.Signal == syscall.SIGKILL:
			lost++
			if died.Elapsed == 0 {
				break // it was never begun, and the next task of several that died
			}
			if _, lied := errors.AsType[*worker.ProtocolError](died.Err); lied {
				c.t.Errorf("task %d: %v", n, err)
			}
			if other, taken := victims[died.Worker]; taken {
				_, first := c.futures[other].Result(c.t.Context())
				c.t.Errorf("a worker took two tasks along: %v; and %v", first, err)
			}
			victims[died.Worker] = n
		case f.State() == futures.Cancelled:
			cancelled++
		default:
			c.t.Errorf("task %d is %d, %v", n, got, err)
		}
	}
	if succeeded+lost+cancelled != uint64(len(c.futures)) || lost > uint64(o.kills) || lost == 0 {
		c.t.Errorf("%d succeeded, %d lost by %d kills, %d cancelled, of %d", succeeded, lost, o.kills, cancelled, len(c.futures))
	}
	s := c.pool.Stats()
	if s.Submitted != uint64(len(c.futures)) || s.Succeeded != succeeded || s.Lost != lost || s.Failed != lost || s.Cancelled != cancelled {
		c.t.Errorf("the figures: %+v", s)
	}
	c.checkLog(told)
	c.checkAfterwards()
	chaosSum.add(o.kills, len(c.futures), int(s.Settled()))
	c.t.Logf("%d succeeded, %d lost by %d kills, %d cancelled, %d workers started", succeeded, lost, o.kills, cancelled, s.Started)
}

// checkLog: what has succeeded ran once, what was cancelled never, and what was
// lost once, unless its worker died on the way to its first line.
func (c *chaos) checkLog(told []futures.State) {
	ran := make([]int, len(c.futures))
	for _, line := range lines(c.t, c.log) {
		n, _, _ := strings.Cut(line, " ")
		ran[atoi(n)]++
	}
	for n, state := range told {
		least, most := 1, 1
		switch state {
		case futures.Cancelled:
			least, most = 0, 0
		case futures.Failed:
			least = 0
		}
		if ran[n] < least || ran[n] > most {
			c.t.Errorf("task %d is %v and ran %d times", n, state, ran[n])
		}
	}
}

// checkAfterwards: the pool works, and nothing settles or calls back again.
func (c *chaos) checkAfterwards() {
	eventually(c.t, "all workers are there again", func() bool { return c.pool.Stats().Ready == c.workers })
	for n := range 100 {
		if got := value(c.t, double.Submit(c.t.Context(), c.pool, n)); got != 2*n {
			c.t.Errorf("afterwards, double %d is %d", n, got)
		}
	}
	if err := c.pool.Close(); err != nil {
		c.t.Errorf("Close: %v", err)
	}
	for n := range c.calls {
		eventually(c.t, "the future has called back", func() bool { return c.calls[n].Load() > 0 })
	}
	for n := range c.calls {
		if calls := c.calls[n].Load(); calls != 1 {
			c.t.Errorf("future %d called back %d times", n, calls)
		}
	}
}
