//go:build unix && !linux

package actors

func descriptorBound() int { return descriptorLimit() }
