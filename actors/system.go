package actors

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/stint-go/stint/reactor"
)

// Config says how a system is made. The zero value is right for most programs.
type Config struct {
	// Logger hears of starts that fail. Default: slog.Default().
	Logger *slog.Logger
	// KillTimeout is how long a process may take to end after SIGKILL. One that does
	// not is given up: see [Witness]. Default: 5 s.
	KillTimeout time.Duration
	// Enclose makes the enclosure of a process whose Command asks for one, and which
	// may be meant to hold it to some of its limits. The
	// spawner calls it, right before the start. An error is a failed start; nil
	// without one is none beyond the process group. Default: there are none beyond process groups.
	Enclose func(Limits) (Enclosure, error)
}

const defaultKillTimeout = 5 * time.Second

// System is where supervisors and their processes live. A program needs one; it
// costs about 3 MB and 3 ms, so a worker process should have none.
type System struct {
	logger      *slog.Logger
	killTimeout time.Duration
	engine      *engine
	spawner     *spawner
	closing     sync.Once

	mu        sync.Mutex
	closed    bool
	members   map[member]struct{}
	processes map[*Process]struct{} // started, and their exit not seen
}

// member is what Close ends: a supervisor with its processes, or a lone process.
type member interface {
	Stop(l Ladder, cause Cause)
	Done() <-chan struct{}
}

// NewSystem makes a system whose processes the reactor watches. The reactor has
// to be closed after the system: without it no process is seen to end.
func NewSystem(r *reactor.Reactor, cfg Config) (*System, error) {
	if r == nil {
		return nil, &ConfigError{"NewSystem", "the reactor is nil"}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	setDefault(&cfg.KillTimeout, defaultKillTimeout)
	if cfg.KillTimeout < 0 {
		return nil, &ConfigError{"Config.KillTimeout", fmt.Sprintf("%v is negative", cfg.KillTimeout)}
	}
	s := &System{
		logger:      cfg.Logger,
		killTimeout: cfg.KillTimeout,
		engine:      newEngine(cfg.Logger),
		spawner:     newSpawner(r, cfg.Enclose),
		members:     make(map[member]struct{}),
		processes:   make(map[*Process]struct{}),
	}
	go s.spawner.run() // Close waits for it
	return s, nil
}

// Supervise starts a supervisor and, soon, its processes. The error is a
// *ConfigError or ErrClosed.
func (s *System) Supervise(cfg Supervision) (*Supervisor, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	v := newSupervisor(s, cfg)
	if err := s.keep(v, func() { v.self = spawn(s.engine, v) }); err != nil {
		return nil, err
	}
	v.Resize(cfg.Workers)
	return v, nil
}

// keep makes m a member and spawns its actor, unless the system was closed.
func (s *System) keep(m member, spawn func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.members[m] = struct{}{}
	spawn()
	return nil
}

// Processes returns the processes that run, the oldest first: those that were
// started, and whose exit has not been seen.
func (s *System) Processes() []*Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Keys(s.processes), func(a, b *Process) int { return a.startedAt.Compare(b.startedAt) })
}

func (s *System) enter(p *Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processes[p] = struct{}{}
}

func (s *System) leave(p *Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.processes, p)
}

// forever is longer than any process lives.
const forever = time.Duration(math.MaxInt64 / 2)

// Shutdown refuses new processes, asks those that there are to end, by Owner.Ask
// and SIGTERM, and returns when no process and no goroutine of the system is left.
// What has not ended when ctx does gets KILL, and the error is a *ShutdownError. It
// may be called again, and together with Close, but not by an Owner.
func (s *System) Shutdown(ctx context.Context) error {
	members := s.shut()
	for _, m := range members {
		m.Stop(Ladder{Ask: true, Term: true, Grace: forever}, Cause{Kind: CauseShutdown})
	}
	for _, m := range members {
		select {
		case <-m.Done():
		case <-ctx.Done():
			left := len(s.Processes())
			s.Close()
			return &ShutdownError{Killed: left, Err: context.Cause(ctx)}
		}
	}
	return s.Close()
}

// Close stops what has not been stopped, with KILL at once, and
// returns when no process and no goroutine of the system is left, but those that do
// not end for all that: see [Witness]. It may be
// called again, but not by an Owner. The error is always nil.
func (s *System) Close() error {
	s.closing.Do(func() {
		members := s.shut()
		for _, m := range members {
			m.Stop(Ladder{}, Cause{Kind: CauseShutdown})
		}
		for _, m := range members {
			<-m.Done()
		}
		s.spawner.close()
		s.engine.close()
	})
	return nil
}

// shut refuses new members and returns those that there are.
func (s *System) shut() []member {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return slices.Collect(maps.Keys(s.members))
}

func (s *System) forget(m member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.members, m)
}
