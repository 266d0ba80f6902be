package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	goruntime "runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// This file is about tasks that are held to what they may use of the processors. The tests
// compare processor time with processor time: that a machine is busy does not change it.

// spending says how a task uses the processors.
type spending struct {
	For     time.Duration // processor time of its process; 0: without end
	Threads int           // at most; 0: one
	Heed    bool          // its context
	Evasion string        // what it tries before, one of evasions; empty: nothing
}

// spend uses processor time, and returns its worker's pid.
var spend = pool.NewTask("spend", spendAs)

// frugal is spend with limits of its own.
var frugal = pool.NewTask("frugal", spendAs, pool.WithCPUTime(spendLimit), pool.WithMemory(1<<40))

// spendLimit is how much processor time a task may use in most tests.
const spendLimit = 60 * time.Millisecond

func spendAs(ctx context.Context, how spending) (int, error) {
	if evade := evasions[how.Evasion]; evade != nil {
		evade()
	}
	until := ownProcessorTime() + how.For
	over := func() bool {
		return how.For > 0 && ownProcessorTime() >= until || how.Heed && ctx.Err() != nil
	}
	for range how.Threads - 1 {
		go spinUntil(over)
	}
	spinUntil(over)
	if how.Heed && ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return os.Getpid(), nil
}

// spinUntil is where spend spends.
func spinUntil(over func() bool) {
	for n := 1; n%100_000 > 0 || !over(); n++ {
	}
}

// ownProcessorTime is what all threads of this process have used.
func ownProcessorTime() time.Duration {
	var used unix.Timespec
	must(unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &used))
	return time.Duration(used.Nano())
}

// evasions are what a task may do so as not to be charged, or not to be ended.
var evasions = map[string]func(){
	"it ignores what it can": func() {
		signal.Ignore(syscall.SIGXCPU, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGPROF, syscall.SIGVTALRM)
	},
	"others spend, it sleeps": func() {
		go spinUntil(func() bool { return false })
		time.Sleep(time.Hour)
	},
	"it spends, and stops": func() {
		until := ownProcessorTime() + 2*spendLimit
		spinUntil(func() bool { return ownProcessorTime() >= until })
		must(syscall.Kill(os.Getpid(), syscall.SIGSTOP))
	},
	"it says that it began in times to come": func() {
		for slot := range 256 {
			if c := ownClaim(slot); c.word.Load() != 0 {
				c.begun.Store(1<<63 - 1)
			}
		}
	},
}

// overspent waits for a future that must fail for having used too much processor time.
func overspent[T any](t *testing.T, f *futures.Future[T], limit time.Duration) (*pool.ExcessError, *pool.CPUTimeError) {
	t.Helper()
	err := failure[*pool.ExcessError](t, f)
	spent, ok := err.Why.(*pool.CPUTimeError)
	if !ok || spent.Limit != limit || spent.Used < limit || spent.Option != "WithCPUTime" {
		t.Fatalf("%v: %#v", err, err.Why)
	}
	if err.Task == "" || err.PID == 0 || err.Worker == 0 || err.Elapsed <= 0 {
		t.Errorf("%+v", err.Run)
	}
	return err, spent
}

// SEC-15: a task that has used up its processor time fails, on one thread and on all, soon,
// and when its worker is gone.
func TestCPUTime(t *testing.T) {
	for name, threads := range map[string]int{"one thread": 1, "as many as there are processors": goruntime.NumCPU()} {
		t.Run(name, func(t *testing.T) {
			p := newProcessPool(t, pool.Config{Workers: 1, Grace: pool.NoGrace})
			least := time.Hour
			for range 3 { // what disturbs one does not disturb all
				before := workerPID(t, p)
				err, spent := overspent(t, spend.Submit(t.Context(), p, spending{Threads: threads}, pool.WithCPUTime(spendLimit)), spendLimit)
				if alive(before) || err.PID != before || err.Task != "spend" || err.Err != nil || !errors.Is(err, error(spent)) {
					t.Errorf("alive: %t; %+v", alive(before), err)
				}
				least = min(least, spent.Used-spendLimit)
			}
			if most := time.Duration(goruntime.NumCPU())*10*time.Millisecond + spendLimit; least > most {
				t.Errorf("each had used %v more than it may, or over", least)
			}
			if s := p.Stats(); s.Failed != 3 || s.TimedOut+s.Killed+s.Lost != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// What a task does not use it is not charged: neither time that passes, nor what others have used.
func TestCPUTimeOfOthers(t *testing.T) {
	limit := pool.WithCPUTime(spendLimit)
	t.Run("it sleeps", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1, Grace: pool.NoGrace})
		value(t, sleepOn.Submit(t.Context(), p, 5*spendLimit, limit))
	})
	t.Run("behind one that burned", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1, Grace: pool.NoGrace})
		before := value(t, spend.Submit(t.Context(), p, spending{For: 3 * spendLimit}))
		if pid := value(t, spend.Submit(t.Context(), p, spending{For: spendLimit / 3}, limit)); pid != before {
			t.Errorf("it ran in %d, not in %d", pid, before)
		}
	})
	t.Run("many, sent ahead", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1, Grace: pool.NoGrace})
		var fs []*futures.Future[int]
		for range 12 {
			fs = append(fs, spend.Submit(t.Context(), p, spending{For: spendLimit / 4}, limit))
		}
		for _, f := range fs {
			if pid := value(t, f); pid != value(t, fs[0]) {
				t.Errorf("it ran in %d", pid)
			}
		}
	})
	t.Run("while another worker burns", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 2, Grace: pool.NoGrace})
		other := spend.Submit(t.Context(), p, spending{For: 3 * spendLimit})
		value(t, sleepOn.Submit(t.Context(), p, 3*spendLimit, limit))
		value(t, other)
	})
}

// A task that is ended for what it has used harms no other: neither one behind it, nor
// one at another worker.
func TestCPUTimeHarmsNobody(t *testing.T) {
	p, g := newProcessPool(t, pool.Config{Workers: 2, Grace: 20 * time.Millisecond}), newGate(t)
	other := hold.Submit(t.Context(), p, g.address())
	g.holds(t, 1)
	f := spend.Submit(t.Context(), p, spending{}, pool.WithCPUTime(spendLimit))
	var behind []*futures.Future[int]
	for n := range 20 {
		behind = append(behind, double.Submit(t.Context(), p, n))
	}
	overspent(t, f, spendLimit)
	for n, f := range behind {
		if got := value(t, f); got != 2*n {
			t.Errorf("double %d is %d", n, got)
		}
	}
	g.open()
	value(t, other)
	if s := p.Stats(); s.Failed != 1 || s.Succeeded != 21 || s.Started != 3 {
		t.Errorf("%+v", s)
	}
}

// A task that heeds its context keeps its worker; of one that does not it is told where it was.
func TestCPUTimeGrace(t *testing.T) {
	limit := pool.WithCPUTime(spendLimit)
	t.Run("it gives up", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1, Grace: patience})
		before := workerPID(t, p)
		err, _ := overspent(t, spend.Submit(t.Context(), p, spending{Heed: true}, limit), spendLimit)
		if !errors.Is(err.Err, context.Canceled) || !strings.Contains(err.Error(), "gave up") || errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if after := workerPID(t, p); after != before || err.PID != before {
			t.Errorf("the worker is %d, was %d", after, before)
		}
	})
	t.Run("it returns a value", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1, Grace: patience})
		if got := value(t, spend.Submit(t.Context(), p, spending{For: 2 * spendLimit}, limit)); got != workerPID(t, p) {
			t.Errorf("the worker was %d", got)
		}
	})
	t.Run("it does not", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1, Grace: time.Second})
		err, spent := overspent(t, spend.Submit(t.Context(), p, spending{}, limit), spendLimit)
		if text := fmt.Sprintf("%+v", err); !strings.Contains(text, "spendAs") || strings.Contains(err.Error(), "spendAs") {
			t.Error(text)
		}
		if text := err.Error(); !strings.Contains(text, spent.Error()) || !strings.Contains(text, "WithCPUTime is 60ms") {
			t.Error(text)
		}
	})
}

// SEC-15: the clock is the kernel's: no task can stop it, or stand aside.
func TestCPUTimeEvaded(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, Spares: 1})
	for evasion := range evasions {
		t.Run(evasion, func(t *testing.T) {
			overspent(t, spend.Submit(t.Context(), p, spending{Evasion: evasion}, pool.WithCPUTime(spendLimit)), spendLimit)
		})
	}
}

// A worker that ends by itself while its clock is read is told as what it is.
func TestCPUTimeOfTheDead(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, Spares: 1, MaxFailures: 100})
	for code := range 10 {
		died := failure[*pool.WorkerError](t, exit.Submit(t.Context(), p, code, pool.WithCPUTime(time.Hour), pool.WithMemory(1<<40)))
		if died.Exit.Code != code {
			t.Error(died)
		}
		_, err := result(t, exit.Submit(t.Context(), p, code, pool.WithCPUTime(1), pool.WithMemory(1)))
		_, died1 := errors.AsType[*pool.WorkerError](err)
		if _, excess := errors.AsType[*pool.ExcessError](err); !died1 && !excess {
			t.Errorf("it died, or had used too much before: %v", err)
		}
	}
}

// Each item of a map has its own limit.
func TestCPUTimeOfItems(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2, Grace: pool.NoGrace})
	short := spending{For: spendLimit / 4}
	items := slices.Repeat([]spending{short}, 12)
	items[4].For = 0
	item := 0
	for _, err := range spend.Map(t.Context(), p, slices.Values(items), pool.WithCPUTime(spendLimit), pool.WithChunkSize(len(items))) {
		item++
		excess, is := errors.AsType[*pool.ExcessError](err)
		switch {
		case item == 5 && (!is || excess.Item != 5):
			t.Errorf("item 5: %v", err)
		case item != 5 && err != nil:
			t.Errorf("item %d: %v", item, err)
		}
	}
	if item != len(items) {
		t.Errorf("%d items", item)
	}
}
