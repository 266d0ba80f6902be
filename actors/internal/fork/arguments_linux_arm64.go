package fork

// cloneArguments returns the arguments of clone(2) in this architecture's order.
func cloneArguments(flags, pidfd, childTID uintptr) []uintptr {
	return []uintptr{flags, 0, pidfd, 0, childTID}
}
