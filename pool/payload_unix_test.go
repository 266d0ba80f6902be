//go:build unix

package pool_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

var (
	echoBytes = pool.NewTask("echoBytes", func(_ context.Context, b []byte) ([]byte, error) { return b, nil })
	// fillAndDie returns so many bytes, and kills its worker while it writes them.
	fillAndDie = pool.NewTask("fillAndDie", func(_ context.Context, n int) ([]byte, error) {
		b := bytes.Repeat([]byte("x"), n)
		time.AfterFunc(5*time.Millisecond, func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) })
		return b, nil
	})
)

// large is far beyond what a socket buffers, and takes longer to send than a
// worker may take to begin a small task.
const large = 32 << 20

// TestLargePayload: an argument and a result that take a while, while idle
// workers look on.
func TestLargePayload(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 3, TaskTimeout: patience, Spares: pool.NoSpares})
	eventually(t, "all are ready", func() bool { return p.Stats().Ready == 3 })
	argument := bytes.Repeat([]byte("0123456789abcdef"), large/16)
	if got := value(t, length.Submit(t.Context(), p, argument)); got != large {
		t.Errorf("got %d", got)
	}
	argument = argument[:large/4]
	if got := value(t, echoBytes.Submit(t.Context(), p, argument)); !bytes.Equal(got, argument) {
		t.Errorf("got %d other bytes", len(got))
	}
	if s := p.Stats(); s.Failed != 0 || s.Started != 3 {
		t.Errorf("the figures: %+v", s)
	}
}

// TestEmptyPayload: nothing is something, too.
func TestEmptyPayload(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	if got := value(t, echoBytes.Submit(t.Context(), p, nil)); len(got) != 0 {
		t.Errorf("got %q", got)
	}
	if got := value(t, echo.Submit(t.Context(), p, "")); got != "" {
		t.Errorf("got %q", got)
	}
}

// TestPayloadAtTheLimit: Config.MaxPayload is exact, both ways.
func TestPayloadAtTheLimit(t *testing.T) {
	const limit = 1000
	p := newProcessPool(t, pool.Config{Workers: 1, MaxPayload: limit})
	if got := value(t, length.Submit(t.Context(), p, make([]byte, limit))); got != limit {
		t.Errorf("got %d", got)
	}
	failure[*pool.CodecError](t, length.Submit(t.Context(), p, make([]byte, limit+1)))
	if got := value(t, fill.Submit(t.Context(), p, limit)); len(got) != limit {
		t.Errorf("got %d bytes", len(got))
	}
	failure[*pool.CodecError](t, fill.Submit(t.Context(), p, limit+1))
}

// TestFailureBeyondTheLimit: what a failure has to tell is not bounded by
// Config.MaxPayload, and costs no worker.
func TestFailureBeyondTheLimit(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, MaxPayload: 64 << 10})
	before := workerPID(t, p)
	text := string(bytes.Repeat([]byte("x"), 60_000))
	if err := failure[*pool.PanicError](t, panics.Submit(t.Context(), p, text)); len(err.Value) != len(text) {
		t.Errorf("got %d bytes", len(err.Value))
	}
	if err := failure[*pool.TaskError](t, fail.Submit(t.Context(), p, text)); err.Err.Error() != text {
		t.Errorf("got %d bytes", len(err.Err.Error()))
	}
	if after := workerPID(t, p); after != before {
		t.Errorf("the worker is %d, was %d", after, before)
	}
}

// TestDeathDuringWrite is PY-D-10: a worker dies during a write that is larger
// than the socket's buffer, its own or its host's.
func TestDeathDuringWrite(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	t.Run("PY-D-10 of its result", func(t *testing.T) {
		got, err := result(t, fillAndDie.Submit(t.Context(), p, large))
		if !errors.Is(err, pool.ErrWorkerDied) && (err != nil || len(got) != large) {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
	})
	t.Run("PY-D-10 of its argument", func(t *testing.T) {
		worker := workerPID(t, p)
		stop(t, worker)
		f := length.Submit(t.Context(), p, make([]byte, large))
		other := double.Submit(t.Context(), p, 4)
		send(t, worker, syscall.SIGKILL)
		if got := value(t, f); got != large { // it had not begun: it runs in the replacement
			t.Errorf("got %d", got)
		}
		if got := value(t, other); got != 8 {
			t.Errorf("the other: %d", got)
		}
	})
}

// TestSubmitNeverBlocks is PY-D-11: nobody reads, and Submit returns.
func TestSubmitNeverBlocks(t *testing.T) {
	t.Log("PY-D-11")
	p := newProcessPool(t, pool.Config{Workers: 1})
	worker := workerPID(t, p)
	stop(t, worker)
	var fs []*futures.Future[int]
	for range 100 {
		fs = append(fs, length.Submit(t.Context(), p, make([]byte, 100_000)))
	}
	for n := range 5000 {
		fs = append(fs, double.Submit(t.Context(), p, n))
	}
	send(t, worker, syscall.SIGCONT)
	for n, f := range fs {
		want := 100_000
		if n >= 100 {
			want = 2 * (n - 100)
		}
		if got := value(t, f); got != want {
			t.Fatalf("task %d is %d", n, got)
		}
	}
}

// TestDeathDuringShutdown is PY-D-8.
func TestDeathDuringShutdown(t *testing.T) {
	for range 5 {
		p := newProcessPool(t, pool.Config{Workers: 1})
		worker := workerPID(t, p)
		hung := running(t, spin.Submit(t.Context(), p, none{}))
		waiting := double.Submit(t.Context(), p, 4)
		closed := make(chan error, 1)
		go func() { closed <- p.Close() }()
		eventually(t, "the shutdown has begun", func() bool {
			return double.Submit(t.Context(), p, 1).State() == futures.Failed
		})
		send(t, worker, syscall.SIGKILL)
		failure[*pool.WorkerError](t, hung)
		if got := value(t, waiting); got != 8 {
			t.Errorf("PY-D-8 the task that waited is %d", got)
		}
		if err := <-closed; err != nil {
			t.Errorf("PY-D-8 Close: %v", err)
		}
	}
}

// TestUnencodableDuringShutdown is PY-D-9.
func TestUnencodableDuringShutdown(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	result := givesChan.Submit(t.Context(), p, none{})
	argument := takesChan.Submit(t.Context(), p, make(chan int))
	closed := make(chan error, 1)
	go func() { closed <- p.Close() }()
	failure[*pool.CodecError](t, argument)
	failure[*pool.CodecError](t, result)
	if err := <-closed; err != nil {
		t.Errorf("PY-D-9 Close: %v", err)
	}
}
