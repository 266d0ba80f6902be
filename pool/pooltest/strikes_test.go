//go:build unix

package pooltest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/pool/pooltest"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime/worker"
)

// lies are blows after which a worker goes on: what it begins until its host has
// read them ends with it, as nothing more of what it says counts.
var lies = []worker.Blow{worker.BlowGarbage, worker.BlowForge, worker.BlowBloat}

// TestEveryBlowAtEveryStep: whatever happens to a worker, wherever it is, each
// future settles once, nothing that had begun is run again, one task at most is
// lost, the pool serves afterwards, and nothing is left.
func TestEveryBlowAtEveryStep(t *testing.T) {
	var faults pooltest.Faults
	host := faults.NewHost(t, reactor.BackendAuto)
	for i, step := range worker.Steps {
		for k, blow := range worker.Blows {
			if fewer && (i+k)%4 != 0 {
				continue
			}
			t.Run(string(step)+" "+string(blow), func(t *testing.T) {
				lies := slices.Contains(lies, blow)
				timed := lies || blow == worker.BlowStop || blow == worker.BlowHang // what ends it, perhaps, is the task's deadline
				for _, nth := range []int{1, 3} {
					faults.Heal()
					faults.Strike(1, worker.Strike{Step: step, Nth: nth, Blow: blow})
					c := config(host)
					if timed {
						c.TaskTimeout = 300 * time.Millisecond
					}
					failed := try(t, faults.NewPool(t, c), lies && step == worker.StepHalf).check()
					if failed > 1 && !timed {
						t.Errorf("one blow, and %d tasks have failed", failed)
					}
				}
			})
		}
	}
}

// TestStrikesFall: a blow falls where and when it is to, and on whom.
func TestStrikesFall(t *testing.T) {
	var faults pooltest.Faults
	faults.Strike(2, worker.Strike{Step: worker.StepBegun, Nth: 2, Blow: worker.BlowExit})
	c := config(faults.NewHost(t, reactor.BackendAuto))
	c.Workers, c.Spares = 1, pool.NoSpares
	p := faults.NewPool(t, c)
	ledger := t.TempDir() + "/ledger"
	run := func() error { return enter.Submit(t.Context(), p, entry{ledger, 1}).Err(t.Context()) }
	for range 5 {
		if err := run(); err != nil {
			t.Errorf("worker 1: %v", err)
		}
	}
	if err := end.Submit(t.Context(), p, 3).Err(t.Context()); !errors.Is(err, pool.ErrWorkerDied) {
		t.Errorf("worker 1 at its end: %v", err)
	}
	if err := run(); err != nil {
		t.Errorf("worker 2, first task: %v", err)
	}
	died, _ := errors.AsType[*pool.WorkerError](run())
	if died == nil || died.Worker != 2 || died.Exit.Code != 1 {
		t.Errorf("worker 2, second task: %+v", died)
	}
	if err := run(); err != nil {
		t.Errorf("worker 3: %v", err)
	}
	if n := strings.Count(read(t, ledger), "\n"); n != 7 {
		t.Errorf("%d tasks ran", n)
	}
}
