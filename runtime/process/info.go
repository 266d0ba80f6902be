package process

import "time"

// Info is what the system tells of a process at one moment.
type Info struct {
	Process
	Parent  int      // the pid of its parent; 0: none, or outside this pid namespace
	Name    string   // of the program, cut to 15 bytes; a thread's name can change it
	Args    []string // its command line; none for a zombie and for a thread of the kernel
	State   State
	UID     int   // effective
	GID     int   // effective
	Groups  []int // supplementary
	Nice    int   // -20, the highest priority, to 19
	Threads int
	RSS     int64         // resident set, in bytes
	User    time.Duration // CPU time outside the kernel, to 10 ms
	System  time.Duration // CPU time in the kernel, to 10 ms
}

// State is what a process does, as the kernel sees it.
type State byte

// The states, with the kernel's letters.
const (
	Running  State = 'R' // on a CPU, or waiting for one
	Sleeping State = 'S' // waits
	Blocked  State = 'D' // waits, and no signal wakes it: for a disk, mostly
	Stopped  State = 'T' // by a signal
	Traced   State = 't' // stopped by its debugger
	Zombie   State = 'Z' // has ended, and is not reaped yet
	Dead     State = 'X' // is being reaped
	Idle     State = 'I' // a thread of the kernel
)

// String returns the state in one word.
func (s State) String() string {
	switch s {
	case Running:
		return "running"
	case Sleeping:
		return "sleeping"
	case Blocked:
		return "blocked"
	case Stopped:
		return "stopped"
	case Traced:
		return "traced"
	case Zombie:
		return "zombie"
	case Dead:
		return "dead"
	case Idle:
		return "idle"
	}
	return "unknown"
}

// Info reads all that there is to know of the process. What it returns is the
// process's, whoever gets its pid meanwhile. It costs some 60 µs.
//
// The error is an [*Error]: [os.ErrProcessDone], [ErrReused] or the system's.
func (p Process) Info() (Info, error) {
	info, err := p.read()
	if err != nil {
		return Info{}, &Error{p.pid, "read about", err}
	}
	return info, nil
}

// Parent returns the process that started this one or has adopted it.
//
// The error is an [*Error], with [os.ErrProcessDone] also if the process has no
// parent in this pid namespace.
func (p Process) Parent() (Process, error) {
	parent, err := p.parent()
	return parent, p.wrap("find the parent of", err)
}

// SetNice sets the priority of the process, all its threads: from -20, the highest,
// which takes privileges as any step upwards does, to 19.
//
// The error is an [*Error]: as Signal's.
func (p Process) SetNice(nice int) error {
	return p.wrap("set the priority of", p.eachThread(func(tid int) error { return setNice(tid, nice) }))
}

// Affinity returns the numbers of the CPUs on which the process may run, in
// ascending order.
//
// The error is an [*Error]: as Info's.
func (p Process) Affinity() ([]int, error) {
	cpus, err := affinity(p.pid)
	if err == nil {
		err = p.named() // it was p's that was read
	}
	if err != nil {
		return nil, &Error{p.pid, "read the affinity of", err}
	}
	return cpus, nil
}

// SetAffinity sets the CPUs on which the process may run, all its threads. None
// at all, or none that there is, is an error of the system.
//
// The error is an [*Error]: as Signal's.
func (p Process) SetAffinity(cpus ...int) error {
	return p.wrap("set the affinity of", p.eachThread(func(tid int) error { return setAffinity(tid, cpus) }))
}
