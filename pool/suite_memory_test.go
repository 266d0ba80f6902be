package pool_test

import (
	"context"
	"runtime"
	"testing"
	"weak"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// parcel is an argument that is known again.
type parcel struct{ Content []byte }

var weigh = pool.NewTask("weigh", func(_ context.Context, p *parcel) (int, error) { return len(p.Content), nil })

func TestPoolsRetainNothing(t *testing.T) {
	overKinds(t, "of a task that has ended", func(t *testing.T, open opener) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1})
		// One that runs, and one that is cancelled. They are the pool's last.
		argument, f := submitParcel(t, p)
		cancelledArgument, cancelled := submitParcel(t, p)
		if !cancelled.Cancel() {
			t.Error("it is not cancelled")
		}
		g.open()
		if got := value(t, f); got != 1000 {
			t.Errorf("it weighs %d", got)
		}
		collected(t, argument)
		collected(t, cancelledArgument)
		runtime.KeepAlive(p)
		runtime.KeepAlive(f)
		runtime.KeepAlive(cancelled)
	})
}

func submitParcel(t *testing.T, p pool.Pool) (weak.Pointer[parcel], *futures.Future[int]) {
	argument := &parcel{make([]byte, 1000)}
	return weak.Make(argument), weigh.Submit(t.Context(), p, argument)
}

// collected waits until the garbage collector has found that nothing refers to
// an argument.
func collected(t *testing.T, argument weak.Pointer[parcel]) {
	t.Helper()
	eventually(t, "the argument is collected", func() bool {
		runtime.GC()
		return argument.Value() == nil
	})
}
