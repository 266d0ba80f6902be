package pool_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stint-go/stint/pool"
)

// gate holds tasks back, in this process or another, until it is opened. A task
// that is held is a connection.
type gate struct {
	listener net.Listener
	opened   chan struct{}
	open     func() // lets all pass, those to come as well
	served   sync.WaitGroup

	mu      sync.Mutex
	entered int // ever
	inside  int
	most    int // inside at a time
}

// hold passes the gate at the given address, or returns its context's error.
var hold = pool.NewTask("hold", func(ctx context.Context, address string) (none, error) {
	return none{}, pass(ctx, address)
})

// holdOn is hold for a task that does not heed its context.
var holdOn = pool.NewTask("holdOn", func(_ context.Context, address string) (none, error) {
	return none{}, pass(context.Background(), address)
})

// newGate returns a gate that is opened when the test ends at the latest.
func newGate(t testing.TB) *gate {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: listener, opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	g.served.Go(g.accept)
	t.Cleanup(func() {
		g.open()
		listener.Close()
		g.served.Wait()
	})
	return g
}

// address is the argument of hold.
func (g *gate) address() string { return g.listener.Addr().String() }

func (g *gate) accept() {
	for {
		c, err := g.listener.Accept()
		if err != nil {
			return
		}
		g.served.Go(func() { g.serve(c) })
	}
}

// serve holds one task. The task goes on after it was counted out.
func (g *gate) serve(c net.Conn) {
	g.count(1)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, c)
	}()
	select {
	case <-g.opened:
	case <-gone: // the task was killed, or its context has ended
	}
	g.count(-1)
	c.Close()
	<-gone
}

func (g *gate) count(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside += n
	g.entered += max(n, 0)
	g.most = max(g.most, g.inside)
}

// holds waits until the gate holds n tasks.
func (g *gate) holds(t testing.TB, n int) {
	t.Helper()
	eventually(t, "the gate holds as many tasks as it should", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.inside == n
	})
}

// figures returns how many tasks have come, and how many at a time at most.
func (g *gate) figures() (entered, most int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.entered, g.most
}

// pass waits at a gate.
func pass(ctx context.Context, address string) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	_, _ = io.Copy(io.Discard, c) // until either side closes
	return ctx.Err()
}
