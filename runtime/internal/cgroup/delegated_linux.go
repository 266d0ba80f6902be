package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// open opens a host's group in the one above a program's own, if that is delegated to it, else
// in its own.
func (p Place) open() (*Host, error) {
	above, why := p.delegated()
	if why == nil {
		h, err := openIn(above)
		if err == nil {
			return h, nil
		}
		why = fmt.Errorf("a host can have no control group in %s, which is delegated to this program: %w", above, err)
	}
	h, err := openIn("/" + p.Directory)
	if err != nil {
		return nil, fmt.Errorf("%w; %w", err, why)
	}
	h.notBeside = why
	return h, nil
}

// delegated returns the group above this program's own, if that is where hosts' groups
// belong: somebody has given it to this program with all below it, and has put the
// program in a leaf (systemd: Delegate= with DelegateSubgroup=). Groups there can have
// controllers, which those below a group with processes in it cannot. A leaf with limits
// of its own is not left. An error says why it is not, and what would make it so.
func (p Place) delegated() (group string, why error) {
	own := "/" + p.Directory
	if p.Directory == p.Mount {
		return "", fmt.Errorf("no control group above this program's, %s, is to be seen here: %s", own, beInLeaf)
	}
	above := filepath.Dir(own)
	if strings.HasPrefix(filepath.Base(above), prefix) {
		return "", fmt.Errorf("the control group above this program's, %s, is that of the host which has started it as a worker", above)
	}
	if !isMarkedDelegated(above) && !isTopOfOurs(above, "/"+p.Mount) {
		return "", fmt.Errorf("the control group above this program's, %s, is not known to be delegated to it: %s", above, beInLeaf)
	}
	if limit := limitOf(own); limit != "" {
		return "", fmt.Errorf("this program's control group %s has a limit of its own, %s, from which its workers would escape in %s: set it there instead",
			own, limit, above)
	}
	occupied, err := hasProcesses(above)
	if err != nil {
		return "", err
	}
	if occupied {
		return "", fmt.Errorf("the control group %s, which is delegated to this program, has processes in it as well: put them into a group below it", above)
	}
	return above, nil
}

// beInLeaf is what helps a program that is in none.
const beInLeaf = "start it in a leaf of a group that is delegated to it (systemd: Delegate=yes and DelegateSubgroup=main)"

// isMarkedDelegated reports whether systemd says that it has given a group away.
func isMarkedDelegated(group string) bool {
	for _, attribute := range []string{"user.delegate", "trusted.delegate"} {
		var value [8]byte
		if n, err := unix.Getxattr(group, attribute, value[:]); err == nil && string(value[:n]) == "1" {
			return true
		}
	}
	return false
}

// isTopOfOurs reports whether a group is this user's and the one above it somebody
// else's: so the kernel's documentation has a subtree delegated. What is below it, such as
// the slices of a user's own systemd, is somebody's to manage already. To root all is its own.
func isTopOfOurs(group, mount string) bool {
	return os.Geteuid() != 0 && isOurs(group) && (group == mount || !isOurs(filepath.Dir(group)))
}

func isOurs(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// limitOf returns the name of the first file by which a group itself is held to less than
// what is above it; empty: there is none.
func limitOf(group string) string {
	root := os.DirFS(group)
	files := []string{
		"memory.max", "memory.high", "memory.swap.max", "pids.max", "cpu.max",
		"cpuset.cpus", "cpuset.mems", "io.max", // these are empty where there is no limit
	}
	hugePages, _ := fs.Glob(root, "hugetlb.*.max") // a file for each size
	for _, file := range append(files, hugePages...) {
		text, err := fs.ReadFile(root, file)
		value := strings.TrimSpace(string(text))
		if err != nil && !errors.Is(err, fs.ErrNotExist) || value != "" && !strings.HasPrefix(value, "max") {
			return file
		}
	}
	return ""
}

// hasProcesses reports whether there are processes in a group, not below it.
func hasProcesses(group string) (bool, error) {
	list, err := os.ReadFile(filepath.Join(group, "cgroup.procs"))
	return len(list) > 0, err
}
