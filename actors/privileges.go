package actors

import (
	"fmt"
	"slices"
	"strings"
)

// Privileges are those of this program that a process, and what it starts, does
// without, from the program's first instruction on and for ever. The zero value
// leaves it all of them. On Linux on amd64 and arm64 only: elsewhere a start that
// gives up any fails with an error that matches errors.ErrUnsupported.
//
// They protect the rest of the machine from the process, not the host from its
// workers: see docs/security.md.
type Privileges struct {
	// User runs the process as somebody else, which takes privileges. Default: as
	// this program. From the first such start on, Linux lets this program write no core
	// file and be traced by root alone, as with os/exec (prctl(2), PR_SET_DUMPABLE).
	User *User
	// NoNew has no program that the process executes gain privileges, as by a
	// set-user-ID bit (prctl(2), PR_SET_NO_NEW_PRIVS).
	NoNew bool
	// Paths bounds what the process may open, and implies NoNew. Default: anything
	// that its user may.
	Paths *Paths
}

// User is who a process runs as.
type User struct {
	UID, GID int
	// Groups are the supplementary ones. None of this program's are kept.
	Groups []int
}

// Paths bounds what a process may do in file systems, by Landlock (landlock(7),
// Linux 6.2). Each entry is a file, or a directory with all that is below it, and
// must be there at the start; a relative one is relative to this program's
// directory. The program's own file can be executed in any case; what it needs
// besides, such as shared libraries, is to be listed. Files that it inherits or is
// sent are not bounded, nor is what it may ask other processes to do.
type Paths struct {
	Read  []string // may be read and executed
	Write []string // may be read, executed, written, made and removed
}

// PrivilegeError says that a process cannot be started without some privilege. It
// matches what Err matches: errors.ErrUnsupported where the system knows no such
// bound, fs.ErrNotExist for a path that is not there, syscall.EPERM for a user that
// this program may not become.
type PrivilegeError struct {
	Field string // of Privileges, as in "Paths.Read[1]"
	Err   error
}

// Error implements error.
func (e *PrivilegeError) Error() string {
	return fmt.Sprintf("Privileges.%s cannot be given up: %v", e.Field, e.Err)
}

// Unwrap returns the reason.
func (e *PrivilegeError) Unwrap() error { return e.Err }

// Check returns a [*ConfigError] for what can never be.
func (p Privileges) Check() error {
	if u := p.User; u != nil {
		for _, id := range append([]int{u.UID, u.GID}, u.Groups...) {
			if id < 0 || int64(id) >= 1<<32-1 { // the last one means: none
				return &ConfigError{"Privileges.User", fmt.Sprintf("%d is no user or group", id)}
			}
		}
	}
	if p.Paths == nil {
		return nil
	}
	for _, path := range slices.Concat(p.Paths.Read, p.Paths.Write) {
		if path == "" || strings.ContainsRune(path, 0) {
			return &ConfigError{"Privileges.Paths", fmt.Sprintf("%q is no path", path)}
		}
	}
	return nil
}
