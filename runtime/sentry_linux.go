package runtime

import (
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime/internal/guard"
)

// A guard that has ended is started again: at once if it had stood for a while, else
// with pauses that double up to a minute.
const (
	stoodLong  = time.Second
	guardPause = 100 * time.Millisecond
	guardLimit = time.Minute
	leaveLimit = 20 * time.Second // for a guard that was killed: on a busy machine it may be 5 s until it runs, to die
	leaveLooks = 40               // in that time
)

// sentry sees to it that a host has a guard. A nil one has none.
type sentry struct {
	duty    guard.Duty
	reactor *reactor.Reactor
	logger  *slog.Logger
	wake    func() // it needs keep to be called

	mu       sync.Mutex
	standing bool
	watch    *reactor.Watch // of the guard that stands; nil for a moment after its start
	since    time.Time      // when it was started
	pause    time.Duration  // before the next start after a failure
	next     time.Time      // when to start one, if none stands
	relieved bool
	gone     chan struct{} // closed when the guard has ended after relieve
}

// post starts a guard. What fails is tried again, by keep. One goroutine calls it
// at a time.
func (s *sentry) post() {
	p, lifeline, err := guard.Start(s.duty)
	if err != nil {
		s.failed(err)
		return
	}
	s.mu.Lock()
	s.standing, s.since = true, time.Now()
	s.mu.Unlock()
	watch, err := s.reactor.Watch(p, func(reactor.Exit) { s.ended(lifeline) })
	if err != nil {
		_ = p.Kill()
		_, _ = p.Wait() // soon: it was killed
		_ = lifeline.Close()
		s.failed(err)
		return
	}
	_ = p.Release() // the watch has its own
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.standing {
		s.watch = watch
	}
}

// failed delays the next start.
func (s *sentry) failed(err error) {
	s.mu.Lock()
	s.standing = false
	pause := s.delay()
	s.mu.Unlock()
	s.logger.Warn("stint: there is no guard, so if this program is killed what its workers have started may stay; it is tried again",
		"in", pause, "err", err)
}

// delay delays the next start. Under the lock.
func (s *sentry) delay() time.Duration {
	s.pause = min(max(2*s.pause, guardPause), guardLimit)
	s.next = time.Now().Add(s.pause)
	return s.pause
}

// ended is told by the reactor that the guard has.
func (s *sentry) ended(lifeline *os.File) {
	_ = lifeline.Close()
	s.mu.Lock()
	s.standing, s.watch = false, nil
	relieved := s.relieved
	if time.Since(s.since) >= stoodLong {
		s.pause, s.next = 0, time.Time{}
	} else {
		s.delay()
	}
	pause := s.pause
	s.mu.Unlock()
	if relieved {
		close(s.gone)
		return
	}
	s.logger.Warn("stint: the guard has ended; it is started again", "in", pause)
	s.wake()
}

// keep starts a guard if there is none and it is time to. It returns when to call it
// again; 0: when it says so.
func (s *sentry) keep() time.Duration {
	if s == nil {
		return 0
	}
	wait, standing := s.vacant()
	if standing || wait > 0 {
		return wait
	}
	s.post()
	wait, _ = s.vacant()
	return wait
}

// vacant reports whether a guard stands, and if not when to start one.
func (s *sentry) vacant() (wait time.Duration, standing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.standing {
		return 0, true
	}
	return max(time.Until(s.next), 0), false
}

// relieve ends the guard: nothing is left for it to do. None is started any more.
func (s *sentry) relieve() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.relieved = true
	watch := s.watch
	s.mu.Unlock()
	if watch == nil {
		return
	}
	_ = watch.Signal(syscall.SIGKILL)
	for range leaveLooks { // in parts: of a time in which this program was stopped one counts
		select {
		case <-s.gone:
			return
		case <-time.After(leaveLimit / leaveLooks):
			watch.Look() // should the system's word be lost
		}
	}
	s.logger.Warn("stint: the guard was killed and does not go", "pid", watch.PID())
}
