package actors

import "time"

// SetTooLong bounds how long a process may take to execute its program. It is called
// before the first start.
func (s *System) SetTooLong(d time.Duration) { s.spawner.tooLong = d }
