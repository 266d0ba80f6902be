//go:build unix

package pool_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stint-go/stint/pool"
)

func TestPoolsComeAndGo(t *testing.T) {
	t.Run("PY-TP-4 a task submits itself again while 50 process pools cycle", func(t *testing.T) {
		p := newGoroutinePool(t, pool.Config{Workers: 2})
		var rounds atomic.Int64
		var again func(context.Context) (none, error)
		again = func(context.Context) (none, error) {
			rounds.Add(1)
			pool.Go(t.Context(), p, again) // refused in the end
			return none{}, nil
		}
		pool.Go(t.Context(), p, again)
		for i := range 50 {
			before := rounds.Load()
			cycled, err := pool.NewProcessPool(pool.Config{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			if got := value(t, double.Submit(t.Context(), cycled, i)); got != 2*i {
				t.Error(got)
			}
			if err := cycled.Close(); err != nil {
				t.Error(err)
			}
			eventually(t, "the task goes on", func() bool { return rounds.Load() > before })
		}
	})
}
