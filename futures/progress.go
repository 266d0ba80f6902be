package futures

// extras are what few futures have: callbacks that are yet to run, and progress.
type extras struct {
	callbacks callbacks
	progress  any
	reported  bool
}

// Report says how far the work has come, in whatever terms, and takes the place of
// what was reported before. It returns false, and changes nothing, when the
// future has settled.
func (p Promise[T]) Report(progress any) bool { return p.future.report(progress) }

// Progress returns what the work has reported last, and false if it has reported
// nothing. It remains when the future has settled.
func (f *Future[T]) Progress() (progress any, reported bool) { return f.lastReport() }

func (c *core) report(progress any) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Settled() {
		return false
	}
	e := c.ownExtras()
	e.progress, e.reported = progress, true
	return true
}

func (c *core) lastReport() (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.extras == nil {
		return nil, false
	}
	return c.extras.progress, c.extras.reported
}

// ownExtras makes the extras with the first use. Under mu.
func (c *core) ownExtras() *extras {
	if c.extras == nil {
		c.extras = new(extras)
	}
	return c.extras
}
