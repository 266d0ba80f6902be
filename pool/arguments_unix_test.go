//go:build unix

package pool_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// Arguments whose memory was another's before arrive as they were submitted, whatever
// becomes of the tasks: some are cancelled, some are taken over by another worker, some
// are tried again, and some end with their workers.
func TestBorrowedArguments(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 3, FailureWindow: time.Millisecond})
	sizes := []int{4 << 10, 5000, 31 << 10, 33 << 10, 64 << 10, 100_000, 1<<20 - 1, 1 << 20}
	deaths := background(t, func() error {
		for range 5 {
			time.Sleep(20 * time.Millisecond)
			_ = exit.Submit(t.Context(), p, 3).Err(patient(t))
		}
		return nil
	})
	var all sync.WaitGroup
	for round := range 6 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(round)))
			for n := range 40 {
				size := sizes[random.IntN(len(sizes))]
				argument := bytes.Repeat([]byte{byte(random.IntN(256))}, size)
				var options []pool.Option
				if random.IntN(2) == 0 {
					options = append(options, pool.WithRetry(pool.Retry{Attempts: 3, Delay: time.Millisecond}))
				}
				f := same.Submit(t.Context(), p, argument, options...)
				want := argument[0]
				clear(argument) // it is encoded: the caller may do what he likes
				if random.IntN(5) == 0 {
					f.Cancel()
				}
				got, err := f.Result(patient(t))
				switch {
				case err != nil && !errors.Is(err, futures.ErrCancelled) && !errors.Is(err, pool.ErrWorkerDied):
					t.Errorf("round %d, task %d: %v", round, n, err)
				case err == nil && got != int(want):
					t.Errorf("round %d, task %d: %d bytes of %d are %d", round, n, size, want, got)
				}
			}
		})
	}
	all.Wait()
	if err := deaths(); err != nil {
		t.Error(err)
	}
}

// same returns the byte that all bytes of the argument are, or -1.
var same = pool.NewTask("same", func(_ context.Context, argument []byte) (int, error) {
	for _, b := range argument {
		if b != argument[0] {
			return -1, nil
		}
	}
	return int(argument[0]), nil
})
