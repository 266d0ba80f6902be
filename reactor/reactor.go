package reactor

import (
	"errors"
	"log/slog"
	"os"
)

// Config says how a reactor is made. The zero value is right for most programs.
type Config struct {
	// Backend forces the way in which exits are noticed. Default: BackendAuto.
	Backend Backend
	// Logger hears what an operator should know. Default: slog.Default().
	Logger *slog.Logger
}

// Backend names a way of noticing exits.
type Backend uint8

const (
	BackendAuto   Backend = iota // what STINT_REACTOR says, else the best that the system has
	BackendPidfd                 // pidfds in an epoll set: Linux 5.4 and later
	BackendPoll                  // asks at intervals of 0.1 to 40 ms: any unix
	BackendWaiter                // a goroutine and a thread for each process: anywhere
)

// String returns the name as STINT_REACTOR spells it.
func (b Backend) String() string { return "" }

// Reactor notices the exits of the processes that it watches and delivers each once.
type Reactor struct{}

// New starts a reactor.
func New(cfg Config) (*Reactor, error) { return nil, errors.ErrUnsupported }

// Watch watches a child that os.StartProcess started. On success the reactor
// owns p and is the one who reaps it; on error the caller keeps it.
func (r *Reactor) Watch(p *os.Process, deliver func(Exit), opts ...Option) (*Watch, error) {
	return nil, errors.ErrUnsupported
}

// WatchPID watches any process; whether it is our child is found out, not asked.
func (r *Reactor) WatchPID(pid int, deliver func(Exit), opts ...Option) (*Watch, error) {
	return nil, errors.ErrUnsupported
}

// Stats are a reactor's figures at one moment.
type Stats struct {
	Backend Backend // in force
	Watches int     // processes watched now
	Polled  int     // of these, asked at intervals
	Wakeups uint64  // of the loop since New
	Exits   uint64  // delivered since New
}

// Stats returns the figures of now.
func (r *Reactor) Stats() Stats { return Stats{} }

// Close stops the reactor and returns when its goroutines are gone. Watches that
// remain are dropped without a message; their processes are left alone.
func (r *Reactor) Close() error { return nil }
