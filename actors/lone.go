package actors

import "time"

// lone keeps one process, which nobody replaces.
type lone struct {
	system *System
	self   address[processMessage] // of the process
	done   chan struct{}
}

// Start starts one process that nobody replaces, and tells owner what becomes of
// it: Started or StartFailed comes soon. It is ready as soon as it runs, it has
// no channel, and what Owner.Exited returns is of no account. The error is
// ErrClosed: then owner hears nothing, and the command's files are still the caller's.
func (s *System) Start(command Command, owner Owner) error {
	now := time.Now()
	l := &lone{system: s, done: make(chan struct{})}
	p := &Process{keeper: l, logger: s.logger, asked: now}
	p.readyAt.Store(&now)
	err := s.keep(l, func() {
		p.self = spawn(s.engine, p)
		l.self = p.self
	})
	if err == nil {
		s.spawner.enqueue(&request{process: p, command: command, owner: owner})
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
