package pooltest

import (
	"context"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime"
	"github.com/stint-go/stint/runtime/worker"
)

// The system calls that can fail, by their names.
const (
	PidfdOpen   = "pidfd_open"
	EpollCreate = "epoll_create1"
	EpollCtl    = "epoll_ctl"
	EpollWait   = "epoll_wait"
	Clone       = "clone" // the start of a process
	Socketpair  = "socketpair"
	MemfdCreate = "memfd_create"
	Mmap        = "mmap"
)

// Always, as a number of times, is until Heal.
const Always = -1

// Faults are what is to go wrong in the hosts and pools that are made with them:
// see runtime.Config and pool.Config, or NewPool. The zero value is nothing. It may
// be changed at any time, from any goroutine; what a worker is to suffer is fixed
// when it is started.
type Faults struct {
	mu      sync.Mutex
	calls   map[string]*failure
	exits   int // are still to be held up, or dropped
	delay   time.Duration
	held    map[int]time.Duration // those that are, by pid
	strikes map[int][]worker.Strike
	flips   map[int][]int
}

// failure is what is to come of a system call.
type failure struct {
	err   error
	times int // still; below 0: always
	count int // so far
}

var (
	_ reactor.Faults = (*Faults)(nil)
	_ worker.Faults  = (*Faults)(nil)
)

// Fail has a system call fail with err, the next so many times; Always: each time.
// One that fails with EINTR is made again at once, so that Always is no time for it.
func (f *Faults) Fail(call string, err error, times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set(&f.calls, call, &failure{err: err, times: times})
}

// Failed returns how often a system call has failed because of Fail.
func (f *Faults) Failed(call string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if of := f.calls[call]; of != nil {
		return of.count
	}
	return 0
}

// HoldExits has the reactor learn of the next so many exits late; it does
// nothing to processes that are polled. A delay does not last longer than it takes to
// find an exit by itself; see DropExits.
func (f *Faults) HoldExits(times int, delay time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.exits, f.delay = times, max(delay, 0)
}

// DropExits has the system's word of the next so many exits lost, so that the exits
// must be found by other evidence: a worker's half a second after the end of its
// channel, that of a process that was killed after half of the host's KillTimeout. It
// does nothing to processes that are polled.
func (f *Faults) DropExits(times int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.exits, f.delay = times, dropped
}

// dropped is the delay of what never comes.
const dropped time.Duration = -1

// Strike has workers suffer: the one of that number, which counts from 1 in each
// pool in the order of their starts; 0: every one.
func (f *Faults) Strike(number int, strikes ...worker.Strike) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set(&f.strikes, number, append(f.strikes[number], strikes...))
}

// Flip inverts bits of what the worker of that number, 0: every one, sends over its
// channel. They count from 0, the lowest of the first byte.
func (f *Faults) Flip(number int, bits ...int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set(&f.flips, number, append(f.flips[number], bits...))
}

// Heal ends it all, for the calls, exits and workers to come. Failed is 0 again.
func (f *Faults) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls, f.exits, f.strikes, f.flips = nil, 0, nil, nil
}

func set[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = make(map[K]V)
	}
	(*m)[key] = value
}

// Call implements reactor.Faults and worker.Faults.
func (f *Faults) Call(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	of := f.calls[name]
	if of == nil || of.times == 0 {
		return nil
	}
	if of.times > 0 {
		of.times--
	}
	of.count++
	return of.err
}

// Exit implements reactor.Faults. Of one exit it may be asked several times.
func (f *Faults) Exit(pid int) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, held := f.held[pid]; held { // and was, for long enough
		delete(f.held, pid)
		return 0
	}
	if f.exits == 0 {
		return 0
	}
	if f.exits > 0 {
		f.exits--
	}
	if f.delay > 0 {
		set(&f.held, pid, f.delay)
	}
	return f.delay
}

// Strikes implements worker.Faults.
func (f *Faults) Strikes(number int) []worker.Strike {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Concat(f.strikes[0], f.strikes[number])
}

// Received implements worker.Faults.
func (f *Faults) Received(number int, channel io.Reader) io.Reader {
	f.mu.Lock()
	defer f.mu.Unlock()
	bits := slices.Concat(f.flips[0], f.flips[number])
	if len(bits) == 0 {
		return channel
	}
	return &garbler{channel: channel, bits: bits}
}

// garbler inverts bits of what is read through it.
type garbler struct {
	channel io.Reader
	bits    []int
	at      int // bytes read
}

func (g *garbler) Read(p []byte) (int, error) {
	n, err := g.channel.Read(p)
	for _, bit := range g.bits {
		if i := bit/8 - g.at; i >= 0 && i < n {
			p[i] ^= 1 << (bit % 8)
		}
	}
	g.at += n
	return n, err
}

// NewPool starts a pool with these faults, on a host of its own that has them, too.
// After the test both are closed, the pool by force. If it cannot be started the
// test fails at once.
func (f *Faults) NewPool(t testing.TB, config pool.Config) *pool.ProcessPool {
	t.Helper()
	if config.Host == nil {
		config.Host = f.NewHost(t, reactor.BackendAuto)
	}
	config.Faults = f
	p, err := pool.NewProcessPool(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Shutdown(context.Background(), pool.Kill); err != nil {
			t.Error(err)
		}
	})
	return p
}

// NewHost starts a host with these faults, on that back end, and closes it after
// the test. If it cannot be started the test fails at once.
func (f *Faults) NewHost(t testing.TB, backend reactor.Backend) *runtime.Host {
	t.Helper()
	host, err := runtime.Start(runtime.Config{Backend: backend, Faults: f})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Close(); err != nil {
			t.Error(err)
		}
	})
	return host
}
