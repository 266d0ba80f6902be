package actors

import (
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/stint-go/stint/reactor"
)

// Config says how a system is made. The zero value is right for most programs.
type Config struct {
	// Logger hears of starts that fail. Default: slog.Default().
	Logger *slog.Logger
}

// System is where supervisors and their processes live. A program needs one; it
// costs about 3 MB and 3 ms, so a worker process should have none.
type System struct {
	logger  *slog.Logger
	engine  *engine
	spawner *spawner
	closing sync.Once

	mu      sync.Mutex
	closed  bool
	members map[member]struct{}
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
	s := &System{
		logger:  cfg.Logger,
		engine:  newEngine(cfg.Logger),
		spawner: newSpawner(r),
		members: make(map[member]struct{}),
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

// Close stops what has not been stopped, with KILL at once, and
// returns when no process and no goroutine of the system is left. It may be
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
