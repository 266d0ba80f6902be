package actors

import (
	"fmt"
	"time"
)

// Limits bound what a process may use. They hold before the program's first
// instruction, neither it nor what it starts can raise them again, and each
// process that it starts has them for itself, but for Memory and Processes. A zero
// means: as this program. On Linux on amd64 and arm64 only: elsewhere a start with
// limits fails with an error that matches errors.ErrUnsupported.
//
// What happens at each limit is the system's way, getrlimit(2): most fail the
// system call that asks for more.
type Limits struct {
	// Memory is what the process and all that it starts may have resident together, in
	// bytes, at least LeastMemory. It takes an [Enclosure]. Over it, all of them get
	// SIGKILL, and the cause is a [*MemoryError].
	//
	// In a control group with the memory controller (cgroups(7)) the kernel holds them to
	// it: they never have more. What counts is what they were the first to touch, in
	// memory and swap, and what the kernel keeps for them; pages of files, too, which are
	// given up before anything is killed.
	//
	// Elsewhere it is looked at, ten times a second: until then they may have had
	// more. What counts then is the sum of their resident sets (statm in
	// proc_pid_statm(5)): without swap, and once for each process what several share,
	// as the program's own file.
	Memory int64
	// AddressSpace is what the process may map, in bytes, whether it uses it or not:
	// Go programs, and all with a garbage collector, map far more than they use.
	AddressSpace int64
	// CPUTime is the time on CPUs of all threads together, in whole seconds, rounded
	// up. Then the process gets SIGXCPU, which ends it unless it is handled or, as by Go
	// programs, ignored, and after another second on CPUs SIGKILL.
	CPUTime time.Duration
	// OpenFiles is how many descriptors may be open, those that it begins with among
	// them.
	OpenFiles int64
	// FileSize is what a file may grow to by the process's writing, in bytes. Beyond,
	// it gets SIGXFSZ.
	FileSize int64
	// CoreSize is what a core file may grow to, in bytes; NoCore: there is none.
	CoreSize int64
	// Processes is how many threads and processes there may be. In an [Enclosure] with
	// a control group that has the pids controller those are counted that the process
	// has started, and itself; root is bound, too. Elsewhere it is RLIMIT_NPROC: all of
	// the user's are counted, whoever started them, when this process starts one more,
	// and a privileged user is not bound. More there cannot be: fork(2) fails with EAGAIN.
	Processes int64
}

// LeastMemory is the least that Limits.Memory can be: more than any start takes, of which
// arguments and environment may be 6 MiB. Until a process executes its program it shares
// this program's memory, and the kernel would kill both if a control group had too little
// left for that.
const LeastMemory = 16 << 20

// NoCore, as a CoreSize, has no core file written.
const NoCore = -1

// LimitError says that a limit could not be set. It matches what Err matches:
// errors.ErrUnsupported where there are none, syscall.EPERM for one above this
// program's own.
type LimitError struct {
	Limit string // the field of Limits; empty: all of them
	Value int64  // as the system counts it: bytes, seconds, descriptors, processes
	Err   error
}

// Error implements error.
func (e *LimitError) Error() string {
	if e.Limit == "" {
		return fmt.Sprintf("limits cannot be set here: %v", e.Err)
	}
	return fmt.Sprintf("Limits.%s cannot be set to %d: %v", e.Limit, e.Value, e.Err)
}

// Unwrap returns the reason.
func (e *LimitError) Unwrap() error { return e.Err }

// Check returns a [*ConfigError] for a limit that no process can have.
func (l Limits) Check() error {
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"Memory", l.Memory},
		{"AddressSpace", l.AddressSpace},
		{"CPUTime", int64(l.CPUTime)},
		{"OpenFiles", l.OpenFiles},
		{"FileSize", l.FileSize},
		{"Processes", l.Processes},
	} {
		if f.value < 0 {
			return &ConfigError{"Limits." + f.name, "it is negative"}
		}
	}
	if l.Memory > 0 && l.Memory < LeastMemory {
		return &ConfigError{"Limits.Memory", fmt.Sprintf("it is %d, and less than LeastMemory, %d", l.Memory, LeastMemory)}
	}
	if l.CoreSize < NoCore {
		return &ConfigError{"Limits.CoreSize", "it is negative, and not NoCore"}
	}
	return nil
}

// MemoryError is the Err of a [CauseMemory]: a process and what it had started had
// reached Limits.Memory, and were killed.
type MemoryError struct {
	PID   int
	Limit int64 // in bytes
	Used  int64 // the most that was seen, in bytes
	// Killed is how many processes of the control group the kernel has killed; 0: there
	// is no such group, the host has seen it.
	Killed int64
}

// Error implements error.
func (e *MemoryError) Error() string {
	return fmt.Sprintf("process %d and what it had started had %d bytes of memory, and Limits.Memory is %d: %s",
		e.PID, e.Used, e.Limit, e.How())
}

// How says who has ended it.
func (e *MemoryError) How() string {
	if e.Killed > 0 {
		return fmt.Sprintf("the kernel has killed for it (oom_kill %d in its control group)", e.Killed)
	}
	return "its host, which looks at it, has killed them"
}

// OutOfMemoryError is the Err of an exit that nobody here is the cause of: the process
// got SIGKILL, most likely from the kernel, because memory had run out that is not
// bounded by its own Limits.Memory. It is told only with evidence.
type OutOfMemoryError struct {
	PID    int
	Source string // the file that counts the processes that the kernel kills for it, as oom_kill
	Killed int64  // by how many it has risen since the process's start
}

// Error implements error.
func (e *OutOfMemoryError) Error() string {
	return fmt.Sprintf("process %d was killed, probably by the kernel, which was out of memory: since its start oom_kill in %s has risen by %d",
		e.PID, e.Source, e.Killed)
}
