package runtime

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

// Config says how a Host is made. The zero value is a good one.
type Config struct {
	// Logger gets warnings and errors; nil: slog.Default().
	Logger *slog.Logger
	// Backend is how the reactor learns of exits; the zero value picks the best
	// that this system has, or what the environment variable STINT_REACTOR names.
	Backend reactor.Backend
	// Faults has the host meet with failures of the system, for tests; package
	// pool/pooltest has one. Default: nil, none.
	Faults reactor.Faults
	// KillTimeout is how long a process may take to end after SIGKILL. One that does
	// not, since the kernel holds it, is given up, and whoever waits for it told so:
	// see [actors.UnkillableError]. Default: 5 s.
	KillTimeout time.Duration
	// Containment is how what workers start is kept together, so that it ends with
	// them. What cannot be had is an error of Start; ContainAuto takes what there is.
	Containment Containment
	// Limiter is how processes are held to their Limits.Memory. What cannot be had is
	// an error of their start, an [actors.LimitError]; LimitAuto takes what there is.
	Limiter Limiter
	// NoGuard has the host do without its guard, a small process of this program that
	// is started with the first worker, and ends what workers have started when the
	// host is killed. Without it such things may stay then, and workers that are
	// stopped.
	NoGuard bool
}

// Host is everything that watches and starts processes: one reactor and one
// actor system. It is safe for use by any number of goroutines.
type Host struct {
	reactor    *reactor.Reactor
	actors     *actors.System
	enclosures *enclosures
	parent     func() (*Parent, error) // once
	close      func() error            // once
}

// Start starts a host. The caller closes it, after the pools that use it. An
// error is a *StartError.
func Start(config Config) (*Host, error) {
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	r, err := reactor.New(reactor.Config{Backend: config.Backend, Logger: config.Logger, Faults: config.Faults})
	if err != nil {
		return nil, &StartError{What: "reactor", Err: err}
	}
	limiter, err := wantedLimiter(config.Limiter)
	if err != nil {
		return nil, &StartError{What: "limiter", Err: errors.Join(err, r.Close())}
	}
	wanted, err := wantedContainment(config.Containment)
	var enclosures *enclosures
	if err == nil {
		enclosures, err = newEnclosures(wanted, limiter, !config.NoGuard, r, config.Logger)
	}
	if err != nil {
		return nil, &StartError{What: "containment", Err: errors.Join(err, r.Close())}
	}
	system, err := actors.NewSystem(r, actors.Config{Logger: config.Logger, KillTimeout: config.KillTimeout, Enclose: enclosures.enclose})
	if err != nil {
		return nil, &StartError{What: "actor system", Err: errors.Join(err, enclosures.close(), r.Close())}
	}
	h := &Host{reactor: r, actors: system, enclosures: enclosures}
	h.parent = sync.OnceValues(h.watchParent)
	h.close = sync.OnceValue(func() error { return errors.Join(system.Close(), enclosures.close(), r.Close()) })
	return h, nil
}

// Reactor returns the host's reactor.
func (h *Host) Reactor() *reactor.Reactor { return h.reactor }

// Actors returns the host's actor system.
func (h *Host) Actors() *actors.System { return h.actors }

// Child is a process that a host has started and that runs.
type Child struct {
	PID   int
	Name  string // of its pool or command
	Since time.Time
	State actors.State
}

// Children returns the processes that run on the host, the oldest first. One whose
// exit was seen is none of them any more.
func (h *Host) Children() []Child {
	var children []Child
	for _, p := range h.actors.Processes() {
		children = append(children, Child{PID: p.PID(), Name: p.Name(), Since: p.StartedAt(), State: p.State()})
	}
	return children
}

// Shutdown refuses new processes, asks those that there are to end, by SIGTERM, and
// closes the host when they have. What has not ended when ctx does is killed, and
// the error is an *actors.ShutdownError. Shut pools down first: they let their tasks
// end.
func (h *Host) Shutdown(ctx context.Context) error {
	return errors.Join(h.actors.Shutdown(ctx), h.Close())
}

// Close ends what is left, by force, with all that workers have started, and returns
// when the host's goroutines are gone and its descriptors closed. For what SIGKILL does
// not end it waits [Config.KillTimeout] and some seconds more, and tells of workers'
// in a [*LeftError]; what ends later stays a zombie until this program ends. Close may
// be called more than once.
func (h *Host) Close() error { return h.close() }
