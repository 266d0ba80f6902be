package actors

import (
	"cmp"
	"time"
)

// lone keeps one process, which nobody replaces.
type lone struct {
	system *System
	self   address[processMessage] // of the process
	done   chan struct{}
}

// Start starts one process that nobody replaces, and tells owner what becomes of
// it: Started or StartFailed comes soon. It is ready as soon as it runs, it has
// no channel, and what Owner.Exited returns is of no account. The error is
// ErrClosed: then owner hears nothing.
//
// Prepare is Supervision's. It is called when the start's turn has come, so that
// what waits for that holds no descriptors, or never: then StartFailed is told
// ErrClosed. Its own error is told so, too.
func (s *System) Start(owner Owner, prepare func() (Command, error)) error {
	now := time.Now()
	l := &lone{system: s, done: make(chan struct{})}
	p := &Process{system: s, keeper: l, logger: s.logger, asked: now}
	p.readyAt.Store(&now)
	err := s.keep(l, func() {
		p.self = spawn(s.engine, p)
		l.self = p.self
	})
	if err == nil {
		s.spawner.enqueue(&request{process: p, owner: owner, source: func() (Command, Owner, error) {
			c, err := prepare()
			p.name = cmp.Or(c.Name, c.Path) // before the process is there for anyone
			return c, owner, err
		}})
	}
	return err
}

// Stop is what [System.Close] calls.
func (l *lone) Stop(ladder Ladder, cause Cause) {
	l.self.send(kill{ladder: ladder, cause: cause, deadline: time.Now().Add(ladder.Grace), stop: true})
}

func (l *lone) Done() <-chan struct{} { return l.done }

func (l *lone) startTimeout() time.Duration { return 0 }
func (l *lone) drainTimeout() time.Duration { return 0 }
func (l *lone) count(int64)                 {}
func (l *lone) tell(supervisorMessage)      {}

func (l *lone) processEnded() {
	l.system.forget(l)
	close(l.done)
}
