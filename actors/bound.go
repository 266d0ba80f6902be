package actors

import (
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/stint-go/stint/reactor"
)

// boundSpawners start the processes that do without privileges which a thread gives
// up for ever: each set of them has a spawner of its own. It is there as long as it
// has anything to start, or a process that it has started lives: with its thread they
// would die.
type boundSpawners struct {
	reactor *reactor.Reactor
	running sync.WaitGroup

	mu  sync.Mutex
	all map[string]*boundSpawner // by the key of what they gave up
}

type boundSpawner struct {
	*spawner
	key   string
	users int // starts that were asked for, and processes that live
}

func newBoundSpawners(r *reactor.Reactor) *boundSpawners {
	return &boundSpawners{reactor: r, all: make(map[string]*boundSpawner)}
}

// enqueue hands on a start that was prepared.
func (b *boundSpawners) enqueue(r *request) {
	program := r.command.program()
	key := r.command.Privileges.key(program)
	b.mu.Lock()
	s, ok := b.all[key]
	if !ok {
		s = &boundSpawner{spawner: newSpawner(b.reactor, nil), key: key}
		s.bind = func() error { return r.command.Privileges.bind(program) }
		b.all[key] = s
		b.running.Go(func() { offMainThread(s.run) })
	}
	s.users++
	b.mu.Unlock()
	r.release = sync.OnceFunc(func() { b.release(s) })
	s.enqueue(r)
}

// release says that a start has failed, or that its process is gone.
func (b *boundSpawners) release(s *boundSpawner) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.users--
	if s.users == 0 {
		delete(b.all, s.key)
		s.end()
	}
}

// close returns when all threads are gone. All requests must have been answered;
// a process that is left could not be killed.
func (b *boundSpawners) close() {
	b.mu.Lock()
	left := slices.Collect(maps.Values(b.all))
	b.mu.Unlock()
	for _, s := range left {
		s.end()
	}
	b.running.Wait()
}

// offMainThread runs f, which locks its thread and never unlocks it, on any but the
// main one. That one Go does not end with its goroutine, and /proc/self speaks of it:
// what it had given up the program would seem to lack for ever.
func offMainThread(f func()) {
	runtime.LockOSThread()
	if !onMainThread() {
		f()
		return
	}
	held, over := make(chan struct{}), make(chan struct{})
	go func() { // it cannot get this thread, which is held
		defer close(over)
		runtime.LockOSThread()
		close(held)
		f()
	}()
	<-held
	runtime.UnlockOSThread()
	<-over
}
