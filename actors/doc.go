// Package actors starts operating-system processes, keeps as many of them alive
// as are wanted, and ends them.
//
// Each process has an actor, a small state machine with a mailbox, that hears of
// everything that happens to it and tells an [Owner] what matters:
//
//	Starting ──▶ Ready ◀──▶ Busy
//	    │          │          │
//	    └──────────┴────┬─────┘
//	                    ▼ the exit was seen
//	                 Draining ──▶ Exited
//	                            the channel has ended, or DrainTimeout is over
//
// A [Supervisor] is the parent of such actors. It replaces a process that has
// ended, at once when the process had become ready before. Starts that do not
// become ready are tried again after a growing delay, and when too many of them
// fail within a time the supervisor gives up and says why.
//
//	system, err := actors.NewSystem(r, actors.Config{})
//	if err != nil {
//		return err
//	}
//	defer system.Close()
//
//	sleepers, err := system.Supervise(actors.Supervision{
//		Name:    "sleepers",
//		Workers: 4,
//		Prepare: func() (actors.Command, actors.Owner, error) {
//			return actors.Command{Path: "/bin/sleep", Args: []string{"sleep", "60"}}, &sleeper{}, nil
//		},
//	})
//	if err != nil {
//		return err
//	}
//	…
//	sleepers.Stop(actors.Ladder{Term: true, Grace: time.Second}, actors.Cause{Kind: actors.CauseShutdown})
//	<-sleepers.Done()
//
// [System.Start] starts a single process that nobody replaces.
//
// A process is ended by a [Ladder]: it is asked, it gets SIGTERM, and after a
// grace period SIGKILL. Nothing waits meanwhile; timers send messages. A KILL
// at once goes straight to the process's handle and never stands in a mailbox.
// Why a process ended is told as a [Cause], which is decided where the kill, the
// exit and a pardon race with one another, so that it can be relied on.
//
// Actors are not on the path of a task: a busy process is one atomic note.
//
// # Goroutines
//
// NewSystem starts one goroutine, the spawner, on an operating-system thread of
// its own that lasts as long as the System. An actor has a goroutine only while it has
// messages, and so has a process that does not get to execute its program. System.Close
// ends the spawner and waits for all. Owner's methods and Supervision.Broken run on
// actors' goroutines, Supervision.Prepare on the spawner's: none of them may block.
//
// # Costs
//
// On a machine with two cores: from Kill at once to Exited 0.3 ms, of which the
// kernel takes 0.2 to end a small process; from Resize to Started 0.4 ms, of which
// 0.2 are the bare start. BenchmarkKill and BenchmarkStart measure both.
//
// # Systems
//
// Linux: each process leads a process group of its own and gets SIGKILL when
// this program dies (PR_SET_PDEATHSIG). Other unix systems: the group alone.
// Windows: neither; TERM has no effect there, and KILL ends the one process.
// The actor library needs a 64-bit platform.
package actors
