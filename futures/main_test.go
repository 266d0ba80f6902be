package futures_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/reactor/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

var errBoom = errors.New("boom")

// job is the smallest honest owner of one piece of work: it is queued, and then
// either begun or withdrawn.
type job struct {
	stage atomic.Int32
	kills atomic.Int32
	onAsk func() // called by each method, as an owner that looks at its future would
}

const (
	queued int32 = iota
	begun
	withdrawn
)

func (j *job) begin() bool { return j.stage.CompareAndSwap(queued, begun) }

func (j *job) asked() {
	if j.onAsk != nil {
		j.onAsk()
	}
}

func (j *job) Begun() bool {
	j.asked()
	return j.stage.Load() == begun
}

func (j *job) Cancel() bool {
	j.asked()
	return j.stage.CompareAndSwap(queued, withdrawn) || j.stage.Load() == withdrawn
}

func (j *job) Kill() bool {
	j.asked()
	if j.stage.Load() != begun {
		return false
	}
	j.kills.Add(1)
	return true
}

// expired returns a context whose deadline has passed.
func expired(t testing.TB) context.Context {
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	t.Cleanup(cancel)
	return ctx
}

// inState returns a future that has been brought to the state s.
func inState(s futures.State) (futures.Promise[int], *futures.Future[int]) {
	p, f := futures.New[int](nil)
	switch s {
	case futures.Running:
		p.Start()
	case futures.Succeeded:
		p.Succeed(42)
	case futures.Failed:
		p.Fail(errBoom)
	case futures.Cancelled:
		f.Cancel()
	}
	return p, f
}

func pending(n int) ([]futures.Promise[int], []*futures.Future[int]) {
	ps, fs := make([]futures.Promise[int], n), make([]*futures.Future[int], n)
	for i := range n {
		ps[i], fs[i] = futures.New[int](nil)
	}
	return ps, fs
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// mustPanic asserts that f panics with a message that holds the words.
func mustPanic(t *testing.T, words string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if s, _ := recover().(string); !strings.Contains(s, words) {
			t.Errorf("panic %q, want one that says %q", s, words)
		}
	}()
	f()
}
