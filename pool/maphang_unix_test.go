//go:build unix

package pool_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// lingerKey is for a value that hangs whoever decodes it in a worker.
type lingerKey struct{}

type linger struct{ mischief }

func (l linger) MarshalBinary() ([]byte, error) { return []byte(itoa(l.Host)), nil }

func (l *linger) UnmarshalBinary(data []byte) error {
	if l.Host = atoi(string(data)); l.Host != os.Getpid() {
		time.Sleep(time.Hour)
	}
	return nil
}

func init() { pool.RegisterContextValue[linger]("linger", lingerKey{}) }

// TestHangBeforeAnItem: a worker that hangs on its way to the first item of a
// chunk, or has told the end of one and comes to no other, costs that item its
// time, and no more.
func TestHangBeforeAnItem(t *testing.T) {
	t.Parallel()
	t.Run("the first", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1, TaskTimeout: 100 * time.Millisecond, Grace: 20 * time.Millisecond})
		ctx := context.WithValue(patient(t), lingerKey{}, linger{mischief{Host: os.Getpid()}})
		for _, o := range collect(double.Map(ctx, p, numbers(6), pool.WithChunkSize(3))) {
			if timeout, ok := errors.AsType[*pool.TimeoutError](o.err); !ok || timeout.Item == 0 {
				t.Errorf("got %d, %v", o.out, o.err)
			}
		}
		if got := value(t, double.Submit(t.Context(), p, 4, pool.WithTimeout(patience))); got != 8 {
			t.Errorf("afterwards got %d", got)
		}
	})
	t.Run("the second", func(t *testing.T) {
		p := newProcessPool(t, pool.Config{Workers: 1, TaskTimeout: time.Second, Grace: 20 * time.Millisecond})
		items := []forgery{{N: 0, Bytes: frame(kindItems, 0, 1, elapsed(1, itemResult(make([]byte, 8)...)...))}, {N: 1}, {N: 2}}
		if got := values(t, forge.Map(patient(t), p, slices.Values(items), pool.WithChunkSize(3))); !slices.Equal(got, []int{0, 1, 2}) {
			t.Errorf("got %v", got)
		}
	})
}

// slowly is a result that its host decodes for as long as a file tells it to.
type slowly struct{ gate string }

func (s slowly) MarshalBinary() ([]byte, error) { return []byte(s.gate), nil }

func (s *slowly) UnmarshalBinary(data []byte) error {
	s.gate = string(data)
	for s.gate != "" {
		if _, err := os.Stat(s.gate); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

// giveSlowly returns its argument at once if it is a file's name; it kills its
// worker if it is none.
var giveSlowly = pool.NewTask("giveSlowly", func(_ context.Context, gate string) (slowly, error) {
	if gate == "" {
		time.Sleep(100 * time.Millisecond) // until the results before this one are told
		return slowly{}, syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	return slowly{gate}, nil
})

// TestSlowDecoderOfADeadWorker: a result of a chunk is decoded for longer than its
// worker's end waits for it. The rest of the chunk ends after it, once.
func TestSlowDecoderOfADeadWorker(t *testing.T) {
	t.Parallel()
	p := newProcessPool(t, pool.Config{Workers: 1})
	gate := t.TempDir() + "/gate"
	items := []string{gate, gate, "", "", ""}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		for e := range p.Events(t.Context()) {
			if _, ok := e.(pool.WorkerExited); ok {
				_ = appendToFile(gate, "open")
				return
			}
		}
	}()
	all := collect(giveSlowly.Map(patient(t), p, slices.Values(items), pool.WithChunkSize(5)))
	<-exited
	if len(all) != 5 {
		t.Fatalf("%d outcomes", len(all))
	}
	for n, o := range all {
		if died := errors.Is(o.err, pool.ErrWorkerDied); n < 2 && (o.err != nil || o.out.gate != gate) || n >= 2 && !died {
			t.Errorf("item %d: %v, %v", n, o.out, o.err)
		}
	}
	if s := p.Stats(); s.Succeeded != 2 || s.Lost != 3 {
		t.Errorf("the figures: %+v", s)
	}
}
