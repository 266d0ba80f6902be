//go:build unix

package pool_test

import (
	"errors"
	"iter"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// TestMapChaos: an outsider kills workers at random while a map runs 20,000 short
// items. Each has one outcome, in its place; none runs twice; and what is told of
// each is what the log says.
func TestMapChaos(t *testing.T) {
	const items, kills = 20_000, 60
	random := rand.New(rand.NewPCG(newSeed(t), 0))
	p := newProcessPool(t, pool.Config{Workers: 4})
	log := t.TempDir() + "/log"
	in := func(yield func(chore) bool) {
		for n := 0; n < items && yield(chore{log, n, time.Duration(random.IntN(100)) * time.Microsecond}); n++ {
		}
	}
	outcomes := strikeWhile(t, doChore.Map(t.Context(), p, in), log, items/kills)
	var begun [items]int
	for _, line := range lines(t, log) {
		n, _, _ := strings.Cut(line, " ")
		begun[atoi(n)]++
	}
	lost := 0
	for n, o := range outcomes {
		var died *pool.WorkerError
		switch {
		case o.err == nil && o.out == n && begun[n] == 1:
		case errors.As(o.err, &died) && died.Exit.Signal == syscall.SIGKILL && died.Item == n+1 && begun[n] <= 1:
			lost++
		default:
			t.Errorf("item %d has begun %d times: %d, %v", n, begun[n], o.out, o.err)
		}
	}
	s := p.Stats()
	if len(outcomes) != items || lost == 0 || lost > kills || s.Lost != uint64(lost) || s.Submitted != items {
		t.Errorf("%d outcomes, %d lost; %+v", len(outcomes), lost, s)
	}
	t.Logf("%d of %d lost, %d workers started", lost, items, s.Started)
}

// strikeWhile reads a map to its end. After each so many results it kills the
// worker that has last written to the log.
func strikeWhile(t *testing.T, m iter.Seq2[int, error], log string, each int) (all []outcome[int]) {
	for out, err := range m {
		if all = append(all, outcome[int]{out, err}); len(all)%each == 0 {
			if pid := lastWriter(t, log); pid > 1 {
				_ = syscall.Kill(pid, syscall.SIGKILL) // it may be dead already
			}
		}
	}
	return all
}

// lastWriter returns the pid in the last whole line of a log of chores.
func lastWriter(t *testing.T, log string) int {
	f, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	end := make([]byte, min(info.Size(), 100))
	if _, err := f.ReadAt(end, info.Size()-int64(len(end))); err != nil {
		t.Fatal(err)
	}
	last := strings.Fields(strings.TrimSpace(string(end)))
	return atoi(last[len(last)-1])
}
