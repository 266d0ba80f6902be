package reactor

import (
	"errors"
	"syscall"
)

// Option changes one watch.
type Option func(*Watch)

// WithGroup says that the process leads a process group of its own.
func WithGroup() Option { return func(*Watch) {} }

// Watch is the watch of one process. Its methods may be called from any goroutine.
type Watch struct{}

// PID returns the process id.
func (w *Watch) PID() int { return 0 }

// Signal sends sig to the process.
func (w *Watch) Signal(sig syscall.Signal) error { return errors.ErrUnsupported }

// SignalGroup sends sig to the group that the process leads.
func (w *Watch) SignalGroup(sig syscall.Signal) error { return errors.ErrUnsupported }

// Exited returns the exit if it has been seen. It never blocks.
func (w *Watch) Exited() (Exit, bool) { return Exit{}, false }

// Stop ends the watch. True: deliver has not been called and never will be.
func (w *Watch) Stop() bool { return false }
