package reactor

// waiter is the back end for systems without a better one: a goroutine for each
// process blocks in the system's own wait, which costs a thread each. It leaves
// the status for the loop to reap. Nothing can call such a goroutine back: it
// ends with its process, which may be long after the watch or the reactor.
type waiter struct{ *parker }

func newWaiter() backend { return waiter{newParker()} }

func (b waiter) add(token uint64, p *process) error {
	await, err := p.awaiter()
	if err != nil {
		return err
	}
	go b.run(token, await)
	return nil
}

// run is a goroutine of one process.
func (b waiter) run(token uint64, await func()) {
	await()
	b.tell(token)
}

func (waiter) remove(*process) {}
