package pool

// Stats are a pool's figures at one moment. The counters begin at the pool's
// start and never fall; Succeeded, Failed and Cancelled add up to the tasks that
// are settled.
type Stats struct {
	Workers int // wanted, at most
	Ready   int // able to work
	Spare   int // beyond these, ready to take another's place
	Busy    int // of these, with a task
	Lent    int // of these, with a task that waits for its own: as many may work beyond Workers

	Queued  int // accepted tasks that wait for a worker
	Running int // tasks with a worker: begun, or sent ahead to it

	Submitted uint64 // accepted
	Refused   uint64 // not accepted: closed, broken, full queue, argument that cannot be encoded
	Succeeded uint64
	Failed    uint64 // all that follow included
	TimedOut  uint64
	Killed    uint64
	Lost      uint64 // their worker died under them, or does not end
	Cancelled uint64 // before they began

	Retried     uint64 // attempts beyond the first
	Quarantined uint64 // tasks that ended too many workers; Failed includes them

	Started    uint64 // workers started, replacements included
	Recycled   uint64 // workers that ended because of Config.Recycle
	Unkillable int    // workers that were killed and have not ended, as the kernel holds them; see *UnkillableError
	Abandoned  int    // goroutines that run on though their task is settled (goroutine pool only)
}

// Settled returns how many accepted tasks have their outcome.
func (s Stats) Settled() uint64 { return s.Succeeded + s.Failed + s.Cancelled }
