//go:build unix && !linux

package worker

// Only Linux tells a process of its parent's death by a signal.

func softenHostDeath() {}
func heedHostDeath()   {}
