//go:build unix && !linux

package actors

// niceness of what getpriority(2) returns.
func niceness(priority int) int { return priority }
