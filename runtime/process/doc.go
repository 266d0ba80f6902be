// Package process finds processes that somebody else started, waits for many of
// them at once, and signals the one that is meant and no other.
//
//	p, err := process.Find(4711)
//	if err != nil { … }
//	gone, alive, err := process.WaitMany(ctx, []process.Process{p, q}, func(g process.Gone) {
//		fmt.Println(g.Process, g.Exit) // process 4711 exited with code 0
//	})
//
// A pid alone names whoever has it at the moment. A [Process] is a pid and the
// time of its start, so that what is asked of it is answered for it, or refused
// with os.ErrProcessDone when it is gone.
//
// [Process.Info] says what it is and uses, [Process.Descendants] what it has
// started, and [Process.KillTree] ends all that.
//
// Nothing here starts or reaps a process: that is for whoever started it.
//
// # Goroutines
//
// None of its own. WaitMany and Wait use the program's shared host (package
// runtime) while they wait, with its reactor's one loop.
//
// # Systems
//
// Linux, by /proc. Elsewhere Find returns an error that matches
// errors.ErrUnsupported.
package process
