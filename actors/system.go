package actors

import (
	"log/slog"
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

	mu          sync.Mutex
	closed      bool
	supervisors map[*Supervisor]struct{}
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
		logger:      cfg.Logger,
		engine:      newEngine(cfg.Logger),
		spawner:     newSpawner(r),
		supervisors: make(map[*Supervisor]struct{}),
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	v := newSupervisor(s, cfg)
	s.supervisors[v] = struct{}{}
	v.self = spawn(s.engine, v)
	v.Resize(cfg.Workers)
	return v, nil
}

// Close stops the supervisors that have not been stopped, with KILL at once, and
// returns when no process and no goroutine of the system is left. It may be
// called again, but not by an Owner. The error is always nil.
func (s *System) Close() error {
	s.closing.Do(func() {
		supervisors := s.shut()
		for _, v := range supervisors {
			v.Stop(Ladder{}, Cause{Kind: CauseShutdown})
		}
		for _, v := range supervisors {
			<-v.Done()
		}
		s.spawner.close()
		s.engine.close()
	})
	return nil
}

// shut refuses new supervisors and returns those that there are.
func (s *System) shut() []*Supervisor {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	vs := make([]*Supervisor, 0, len(s.supervisors))
	for v := range s.supervisors {
		vs = append(vs, v)
	}
	return vs
}

func (s *System) forget(v *Supervisor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.supervisors, v)
}
