package actors

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// become has the process started as the user. The groups are set first, while the
// privilege to set them is there: the syscall package does it in that order.
func (p Privileges) become(attributes *syscall.SysProcAttr) error {
	if p.User == nil {
		return nil
	}
	groups := make([]uint32, len(p.User.Groups))
	for i, g := range p.User.Groups {
		groups[i] = uint32(g)
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(p.User.UID), Gid: uint32(p.User.GID), Groups: groups}
	return nil
}

// bind has this thread, and what it starts, give up privileges for ever.
func (p Privileges) bind(program string) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return &PrivilegeError{"NoNew", os.NewSyscallError("prctl", err)}
	}
	if p.Paths == nil {
		return nil
	}
	rules, err := newRuleset()
	if err != nil {
		return &PrivilegeError{"Paths", err}
	}
	defer unix.Close(rules)
	if err := allow(rules, program, mayRead); err != nil {
		return &PrivilegeError{"Paths", err}
	}
	for _, of := range []struct {
		field  string
		paths  []string
		access uint64
	}{{"Read", p.Paths.Read, mayRead}, {"Write", p.Paths.Write, mayAll}} {
		for i, path := range of.paths {
			if err := allow(rules, path, of.access); err != nil {
				return &PrivilegeError{fmt.Sprintf("Paths.%s[%d]", of.field, i), err}
			}
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(rules), 0, 0); errno != 0 {
		return &PrivilegeError{"Paths", os.NewSyscallError("landlock_restrict_self", errno)}
	}
	return nil
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

func onMainThread() bool { return unix.Gettid() == os.Getpid() }
