package pool_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor/leaktest"
)

// This file is the part of the chaos suite that counts: what comes of thousands of
// tasks, kills and timeouts, and what is left of them.

// holdings are what a program has of the system.
type holdings struct{ descriptors, goroutines, children int }

func held(t testing.TB) (h holdings) {
	t.Helper()
	names, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	h.descriptors, h.goroutines = len(names), runtime.NumGoroutine()
	for _, file := range globs(t, "/proc/self/task/*/children") {
		data, _ := os.ReadFile(file)
		h.children += len(strings.Fields(string(data)))
	}
	return h
}

func globs(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// noLeaks has a test end with no more than it began with: goroutines, descriptors,
// processes, zombies, files.
func noLeaks(t *testing.T) {
	before := leaktest.Take()
	t.Cleanup(func() {
		if err := before.Wait(patience); err != nil {
			chaosSum.leaks.Add(1)
			t.Error(err)
		}
	})
}

// TestChaosKills, L1: 20,000 tasks of about 4 ms on 8 workers, of which one is
// killed every 20 ms. What is told of each task is what its log says.
func TestChaosKills(t *testing.T) {
	noLeaks(t)
	tasks, kills := 20_000, 500
	if fewer {
		tasks, kills = 2_000, 50
	}
	seed := newSeed(t)
	c := newChaos(t, seed, tasks, kills, 8*time.Millisecond, 8)
	o := &outsider{chaos: c, random: rand.New(rand.NewPCG(seed, 1)), strike: (*outsider).kill}
	c.submit()
	o.rage()
	c.check(o)
}

// TestChaosMemory, L5: after 200,000 tasks a program has no more of anything than
// after the first thousands.
func TestChaosMemory(t *testing.T) {
	noLeaks(t)
	tasks := 200_000
	if fewer {
		tasks = 20_000
	}
	overKinds(t, "L5", func(t *testing.T, open opener) {
		p := open(t, pool.Config{Workers: 2})
		run := func(n int) {
			for range n / 1000 {
				doubled(t, submit(t, p, 1000))
			}
			chaosSum.add(0, n, n)
		}
		run(max(tasks/10, 5000))
		before, heldBefore := liveHeap(), held(t)
		run(tasks)
		after, heldAfter := liveHeap(), held(t)
		t.Logf("%d KiB of heap before, %d after", before>>10, after>>10)
		if after > before+max(before/20, 2<<20) {
			t.Errorf("%d bytes of heap before, %d after", before, after)
		}
		if heldAfter.descriptors > heldBefore.descriptors || heldAfter.children > heldBefore.children || heldAfter.goroutines > heldBefore.goroutines+2 {
			t.Errorf("%+v before, %+v after", heldBefore, heldAfter)
		}
	})
}

// liveHeap is what the heap holds of live objects.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // what finalizers have let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
