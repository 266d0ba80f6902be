package pooltest_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/pool/pooltest"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime"
	"github.com/stint-go/stint/runtime/worker"
)

// TestDroppedExits: an exit of which the system's word is lost is found nevertheless,
// with its status, whether a worker has ended by itself or was killed.
func TestDroppedExits(t *testing.T) {
	t.Run("by itself", func(t *testing.T) {
		var faults pooltest.Faults
		p := faults.NewPool(t, config(forgetful(t, &faults)))
		faults.DropExits(1)
		err := end.Submit(t.Context(), p, 3).Err(t.Context())
		if died, _ := errors.AsType[*pool.WorkerError](err); died == nil || died.Exit.Kind != reactor.Exited || died.Exit.Code != 3 {
			t.Errorf("got %v", err)
		}
		works(t, p, 1)
	})
	t.Run("killed", func(t *testing.T) {
		var faults pooltest.Faults
		p := faults.NewPool(t, config(forgetful(t, &faults)))
		faults.DropExits(1)
		err := hang.Submit(t.Context(), p, 3, pool.WithTimeout(100*time.Millisecond)).Err(t.Context())
		if timeout, _ := errors.AsType[*pool.TimeoutError](err); timeout == nil || errors.Is(err, pool.ErrUnkillable) {
			t.Errorf("got %v", err)
		}
		works(t, p, 1)
	})
	t.Run("the host's end", func(t *testing.T) {
		var faults pooltest.Faults
		host := forgetful(t, &faults)
		p := faults.NewPool(t, config(host))
		faults.DropExits(pooltest.Always)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := p.Shutdown(ctx, pool.Drain); err != nil {
			t.Error(err)
		}
		if err := host.Close(); err != nil { // its guard's exit is lost, too
			t.Error(err)
		}
	})
}

// works has a pool work after so many tasks of the test's own have failed.
func works(t *testing.T, p *pool.ProcessPool, failed int) {
	t.Helper()
	w := try(t, p, false)
	w.extra = failed
	if failed := w.check(); failed != 0 {
		t.Errorf("%d tasks have failed", failed)
	}
}

// forgetful is a host that has an exit lost, and gives no process up early.
func forgetful(t *testing.T, faults *pooltest.Faults) *runtime.Host {
	t.Helper()
	host, err := runtime.Start(runtime.Config{
		Backend: reactor.BackendPidfd, Faults: faults, KillTimeout: 2 * time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	return host
}

// TestEveryBlowAtEveryStepUnheard: the same, when the system's word of the first exit
// that follows is lost.
func TestEveryBlowAtEveryStepUnheard(t *testing.T) {
	var all sync.WaitGroup
	turn := make(chan struct{}, 20) // an exit that is not heard of takes half a second, of which most is sleep
	for i, step := range worker.Steps {
		for k, blow := range worker.Blows {
			if fewer && (i+k)%8 != 0 {
				continue
			}
			turn <- struct{}{}
			all.Go(func() {
				defer func() { <-turn }()
				t.Run(string(step)+" "+string(blow), func(t *testing.T) {
					var faults pooltest.Faults
					faults.Strike(1, worker.Strike{Step: step, Blow: blow})
					lies := slices.Contains(lies, blow)
					timed := lies || blow == worker.BlowStop || blow == worker.BlowHang
					c := config(forgetful(t, &faults))
					if timed {
						c.TaskTimeout = 2 * time.Second
					}
					faults.DropExits(1)
					failed := try(t, faults.NewPool(t, c), lies && step == worker.StepHalf).check()
					if failed > 1 && !timed {
						t.Errorf("one blow, and %d tasks have failed", failed)
					}
				})
			})
		}
	}
	all.Wait()
}
