package reactor

import "os"

// process is the one handle by which a watch asks for its process, reaps it and
// signals it. It is guarded by the watch's lock, and none of its methods blocks:
// so no signal can meet a pid that was reaped in between.
//
// Each system has, in files of its own,
//
//	identify() error           finds out what there is to watch; an error refuses the watch
//	adopt()                    lets go of origin, which stays as it is and its owner's
//	look(told) (Exit, finding) asks what became of it, and reaps it if it is ours to reap;
//	                           told: the back end has said that it has probably ended
//	awaiter() (func(), error)  a function that blocks until look has something to find
//	signal, signalGroup        os.ErrProcessDone when it is gone
//	release()                  lets go of what the system holds for it
type process struct {
	pid      int
	owned    bool        // given to Watch: ours to reap, also when stopped
	observed bool        // somebody else's to reap
	child    bool        // as the kernel says
	group    bool        // it leads a process group of its own
	left     bool        // or it did when it started
	origin   *os.Process // what Watch was given, until adopt
	handle
}

// finding is what a look at a process finds.
type finding uint8

const (
	running  finding = iota // it has not ended, or a tracer holds its status back
	unreaped                // it has ended; its status is to be had after its parent has reaped it
	ended                   // it has ended, and the Exit says how
)

// unknown is the exit of a process whose status was lost.
func unknown(reason error) Exit { return Exit{Kind: Unknown, Err: reason} }
