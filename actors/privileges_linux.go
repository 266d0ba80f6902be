//go:build linux && (amd64 || arm64)

package actors

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/actors/internal/fork"
)

// become has it run as the user. The groups are set first, while it may.
func (b *birth) become() error {
	if u := b.Privileges.User; u != nil {
		tell := func(name string) func(syscall.Errno) error {
			return func(errno syscall.Errno) error { return &PrivilegeError{"User", os.NewSyscallError(name, errno)} }
		}
		groups := make([]uint32, len(u.Groups)+1) // one more: there is something to point to
		for i, g := range u.Groups {
			groups[i] = uint32(g)
		}
		b.program.Do(tell("setgroups"), unix.SYS_SETGROUPS, uintptr(len(u.Groups)), fork.Pointer(&b.program, &groups[0]))
		b.program.Do(tell("setgid"), unix.SYS_SETGID, uintptr(u.GID))
		b.program.Do(tell("setuid"), unix.SYS_SETUID, uintptr(u.UID))
	}
	for _, r := range b.Limits.resources() {
		if r.number == unix.RLIMIT_NPROC {
			b.set(r)
		}
	}
	return nil
}

// bind has it, and what it starts, give up privileges for ever.
func (b *birth) bind() error {
	if !b.Privileges.NoNew && b.rules < 0 {
		return nil
	}
	b.program.Do(gaveUp("NoNew", "prctl"), unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	if b.rules >= 0 {
		b.program.Do(gaveUp("Paths", "landlock_restrict_self"), unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(b.rules), 0)
	}
	return nil
}

// gaveUp is an error of the system call by which the field is given up.
func gaveUp(field, name string) func(syscall.Errno) error {
	return func(errno syscall.Errno) error { return &PrivilegeError{field, os.NewSyscallError(name, errno)} }
}

// open returns the descriptor of rules, which is least or above, that allow what the
// paths do and the program to be executed.
func (p *Paths) open(program string, least int) (int, error) {
	rules, err := newRuleset()
	if err != nil {
		return -1, &PrivilegeError{"Paths", err}
	}
	defer unix.Close(rules)
	if err := allow(rules, program, mayRead); err != nil {
		return -1, &PrivilegeError{"Paths", err}
	}
	for _, of := range []struct {
		field  string
		paths  []string
		access uint64
	}{{"Read", p.Read, mayRead}, {"Write", p.Write, mayAll}} {
		for i, path := range of.paths {
			if err := allow(rules, path, of.access); err != nil {
				return -1, &PrivilegeError{fmt.Sprintf("Paths.%s[%d]", of.field, i), err}
			}
		}
	}
	fd, err := unix.FcntlInt(uintptr(rules), unix.F_DUPFD_CLOEXEC, least)
	if err != nil {
		return -1, &PrivilegeError{"Paths", os.NewSyscallError("fcntl", err)}
	}
	return fd, nil
}

// What Landlock's version 3 can refuse: the first in which a file that must not be
// written cannot be truncated either.
const (
	leastLandlock = 3

	mayRead = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	mayAll  = 1<<15 - 1
	ofFiles = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE |
		unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
)

// newRuleset returns the descriptor of rules that allow nothing yet.
func newRuleset() (int, error) {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch {
	case errno == unix.ENOSYS || errno == unix.EOPNOTSUPP:
		return 0, fmt.Errorf("this kernel has no Landlock: %w", errors.ErrUnsupported)
	case errno != 0:
		return 0, os.NewSyscallError("landlock_create_ruleset", errno)
	case version < leastLandlock:
		return 0, fmt.Errorf("this kernel's Landlock has version %d, need %d: %w", version, leastLandlock, errors.ErrUnsupported)
	}
	attributes := struct{ handled uint64 }{mayAll} // of version 1, whose size tells the kernel so
	rules, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET,
		uintptr(unsafe.Pointer(&attributes)), unsafe.Sizeof(attributes), 0)
	if errno != 0 {
		return 0, os.NewSyscallError("landlock_create_ruleset", errno)
	}
	return int(rules), nil
}

// allow adds a rule for a file, or for a directory and all below it.
func allow(rules int, path string, access uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		access &= ofFiles
	}
	// The kernel's struct is packed, and Go's has 4 bytes more, which it does not read.
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(rules), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return &os.PathError{Op: "landlock_add_rule", Path: path, Err: errno}
	}
	return nil
}
