package pool

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/stint-go/stint/futures"

	"golang.org/x/sync/semaphore"
)

// GoroutinePool runs tasks in goroutines of this process: for work that waits
// (networks, disks) rather than computes, and that can be trusted. A goroutine
// cannot be killed. When a task's time is up, its context ends and its future
// fails at once; a goroutine that runs on regardless is abandoned, counted in
// Stats, and another takes its place.
type GoroutinePool struct {
	config Config
	room   *semaphore.Weighted // places in the queue; nil: no bound
	drain  sync.WaitGroup      // the goroutines that are not abandoned
	done   chan struct{}       // closed when these are gone

	mu        sync.Mutex
	wake      sync.Cond // by mu: for idle goroutines
	phase     phase
	queue     jobList
	workers   int // goroutines that are not abandoned
	idle      int // of these, waiting
	abandoned int
	numbers   int              // numbers the goroutines
	running   map[*Job]*worker // by their jobs
	accepted  uint64

	outcomes outcomes
}

var _ Pool = (*GoroutinePool)(nil)

// worker is one goroutine of the pool.
type worker struct {
	number    int
	abandoned bool
}

// NewGoroutinePool makes a pool of goroutines, which start as they are needed.
// The caller closes it. An error is a *ConfigError.
func NewGoroutinePool(config Config) (*GoroutinePool, error) {
	refuseInWorker()
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &GoroutinePool{config: config, done: make(chan struct{}), running: make(map[*Job]*worker)}
	p.wake.L = &p.mu
	if config.Queue > 0 {
		p.room = semaphore.NewWeighted(int64(config.Queue))
	}
	return p, nil
}

// Go runs a function on a goroutine pool and returns the future of its result.
// It is Task.Submit for a closure, which needs no name, since it goes nowhere.
func Go[Out any](ctx context.Context, p *GoroutinePool, run func(ctx context.Context) (Out, error), options ...Option) *futures.Future[Out] {
	c := &call[struct{}, Out]{}
	if run == nil {
		return futures.Failed[Out](&ConfigError{Field: "Go", Reason: "the function is nil"})
	}
	c.run = func(ctx context.Context, _ struct{}) (Out, error) { return run(ctx) }
	if p == nil {
		return c.submit(ctx, nil, closure, options)
	}
	return c.submit(ctx, p, closure, options)
}

// closure is the definition of all functions without a name.
var closure = &definition{name: "func"}
