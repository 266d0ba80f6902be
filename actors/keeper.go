package actors

import "time"

// keeper is whom a process lives under: a supervisor, or a [lone].
type keeper interface {
	// startTimeout and drainTimeout are Supervision's.
	startTimeout() time.Duration
	drainTimeout() time.Duration
	// count adds to the number of processes that run.
	count(n int64)
	// tell says what has become of the process.
	tell(m supervisorMessage)
	// processEnded says that the process's actor has handled its last message.
	processEnded()
}

func (v *Supervisor) startTimeout() time.Duration { return v.cfg.StartTimeout }
func (v *Supervisor) drainTimeout() time.Duration { return v.cfg.DrainTimeout }
func (v *Supervisor) count(n int64)               { v.running.Add(n) }
func (v *Supervisor) tell(m supervisorMessage)    { v.self.send(m) }
func (v *Supervisor) processEnded()               {} // childEnded says it in its turn
