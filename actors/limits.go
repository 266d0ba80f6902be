package actors

import (
	"fmt"
	"time"
)

// Limits bound what a process may use. They hold before the program's first
// instruction, neither it nor what it starts can raise them again, and each
// process that it starts has them for itself, but for Processes. A zero means: as
// this program. On Linux on amd64 and arm64 only: elsewhere a start with limits fails
// with an error that matches errors.ErrUnsupported.
//
// What happens at each limit is the system's way, getrlimit(2): most fail the
// system call that asks for more.
type Limits struct {
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
	// Processes is how many threads and processes the user may have in all, whoever
	// started them, when this process starts one more. A privileged user is not bound.
	Processes int64
}

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
	if l.CoreSize < NoCore {
		return &ConfigError{"Limits.CoreSize", "it is negative, and not NoCore"}
	}
	return nil
}
