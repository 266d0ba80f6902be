package main

// contextSwitches is not counted: there is no cat to watch either.
func contextSwitches() int { return 0 }
