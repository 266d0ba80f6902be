//go:build unix

package pool_test

import (
	"strings"
	"testing"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// TestQueueBytes: what waits is bounded in bytes, too.
func TestQueueBytes(t *testing.T) {
	open := func(t testing.TB, c pool.Config) pool.Pool { return newProcessPool(t, c) }

	t.Run("Submit waits for room, a small argument behind a large one", func(t *testing.T) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1, QueueBytes: 1000})
		first := length.Submit(t.Context(), p, make([]byte, 600))
		var fs [2]*futures.Future[int]
		large := background(t, func() error { fs[0] = lengthAndWait(t, p, 600); return nil })
		eventually(t, "the large one waits", func() bool { return waiting("lengthAndWait") == 1 })
		small := background(t, func() error { fs[1] = lengthAndWait(t, p, 10); return nil })
		eventually(t, "the small one waits", func() bool { return waiting("lengthAndWait") == 2 })
		if s := p.Stats(); s.Queued != 1 {
			t.Errorf("%+v", s)
		}
		if !first.Cancel() {
			t.Error("it is not cancelled")
		}
		_, _ = large(), small()
		if s := p.Stats(); s.Queued != 2 {
			t.Errorf("%+v", s)
		}
		g.open()
		if value(t, fs[0]) != 600 || value(t, fs[1]) != 10 {
			t.Error("their results are mixed up")
		}
	})

	t.Run("Refuse does not wait", func(t *testing.T) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1, QueueBytes: 1000, WhenFull: pool.Refuse})
		length.Submit(t.Context(), p, make([]byte, 600))
		matches(t, length.Submit(t.Context(), p, make([]byte, 600)), pool.ErrQueueFull)
		fits := length.Submit(t.Context(), p, make([]byte, 300))
		g.open()
		value(t, fits)
	})

	t.Run("what can never have room is refused at once", func(t *testing.T) {
		p := open(t, pool.Config{Workers: 1, QueueBytes: 1000})
		err := failure[*pool.QueueBytesError](t, length.Submit(t.Context(), p, make([]byte, 2000)))
		if err.Task != "length" || err.Size < 2000 || err.Limit != 1000 || !strings.Contains(err.Error(), "QueueBytes") {
			t.Errorf("got %+v", err)
		}
		if s := p.Stats(); s.Refused != 1 || s.Submitted != 0 {
			t.Errorf("%+v", s)
		}
		value(t, length.Submit(t.Context(), p, make([]byte, 900)))
	})

	t.Run("with a bound on tasks as well", func(t *testing.T) {
		p, g, _ := saturate(t, open, pool.Config{Workers: 1, Queue: 1, QueueBytes: 1000, WhenFull: pool.Refuse})
		fits := length.Submit(t.Context(), p, nil)
		matches(t, length.Submit(t.Context(), p, nil), pool.ErrQueueFull)
		g.open()
		value(t, fits)
	})
}

//go:noinline
func lengthAndWait(t *testing.T, p pool.Pool, n int) *futures.Future[int] {
	return length.Submit(t.Context(), p, make([]byte, n))
}
