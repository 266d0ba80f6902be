package proctree

// Process names a process for good: by its pid and the time of its start, which no
// later process with that pid shares.
type Process struct {
	PID   int
	Start uint64 // in ticks since boot
}
