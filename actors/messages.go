package actors

import (
	"time"

	"github.com/stint-go/stint/reactor"
)

// processMessage is what a process's actor can be told: the types below that
// have its method, and no others.
type processMessage interface{ processMessage() }

type (
	// From the spawner: one of the first two, once. From the reactor: exited,
	// once, and as the watch is registered before the spawner is done with the
	// start, it may come before started.
	started struct {
		owner     Owner
		watch     *reactor.Watch
		at        time.Time
		enclosure Enclosure
	}
	startFailed struct {
		owner Owner // nil: Prepare failed, there is none
		err   error
	}
	exited struct{ exit reactor.Exit }

	// From the owner and the supervisor.
	ready         struct{}
	channelClosed struct{}
	kill          struct {
		ladder   Ladder
		cause    Cause
		deadline time.Time // of KILL
		stop     bool      // it is Supervisor.Stop's: no Spare calls it off
	}
	spare  struct{}
	killed struct { // KILL was sent, or could not be
		at  time.Time
		err error
	}

	// From the enclosure: what the process had started is gone.
	enclosureOver struct{}

	// From timers of the actor's own.
	startOverdue struct{}
	closeDue     struct{}
	closeOverdue struct{}
	drainOverdue struct{}
	doomOver     struct{}
	graceOver    struct{ climb *climb }
)

func (started) processMessage()       {}
func (startFailed) processMessage()   {}
func (exited) processMessage()        {}
func (ready) processMessage()         {}
func (channelClosed) processMessage() {}
func (kill) processMessage()          {}
func (spare) processMessage()         {}
func (enclosureOver) processMessage() {}
func (startOverdue) processMessage()  {}
func (closeDue) processMessage()      {}
func (closeOverdue) processMessage()  {}
func (drainOverdue) processMessage()  {}
func (graceOver) processMessage()     {}
func (killed) processMessage()        {}
func (doomOver) processMessage()      {}

// supervisorMessage is what a supervisor can be told. That a process's actor has
// ended it learns besides, as its parent.
type supervisorMessage interface{ supervisorMessage() }

type (
	// From the user.
	resize struct{ workers int }
	stop   struct {
		ladder Ladder
		cause  Cause
	}

	// From its process actors.
	becameReady struct{}
	retired     struct{ process *Process } // takes no place any more
	vacated     struct {                   // had become ready and has exited: its place is free
		process *Process
		flash   bool // by itself, at once, and without having worked
		worked  bool
	}

	// From its timers.
	delayOver struct{}
	pauseOver struct{}
)

func (resize) supervisorMessage()      {}
func (stop) supervisorMessage()        {}
func (becameReady) supervisorMessage() {}
func (retired) supervisorMessage()     {}
func (vacated) supervisorMessage()     {}
func (pauseOver) supervisorMessage()   {}
func (delayOver) supervisorMessage()   {}
