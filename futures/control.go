package futures

// Control is how a future reaches the owner of its work, as a rule a pool. A
// future holds this and never its pool, and drops it when it settles.
//
// The methods are called without any lock held, from any goroutine, several at
// a time, and now and then a moment after the promise has settled. They must not
// block.
type Control interface {
	// Begun reports whether the work has begun. It is asked only while the
	// future is pending, by [Future.State], so that an owner whose work begins
	// in another process need not send word of it.
	Begun() bool

	// Cancel withdraws work that has not begun. True says that the work never
	// ran and never will, and that the owner leaves the settling to the future.
	// Work that was withdrawn already is still withdrawn: asked again, Cancel
	// had better say true again, since the first caller may not have settled
	// the future yet.
	Cancel() bool

	// Kill ends work that has begun, by force. True says that the kill is under
	// way: the owner settles the promise once it has seen the proof.
	Kill() bool
}
