package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// prefix begins the names of hosts' groups.
const prefix = "stint-"

// mode keeps others from holding what is this user's.
const mode = 0o700

// Host is the group of one host, in which its workers' groups are: of version 2, or
// in one hierarchy of version 1.
type Host struct {
	path       string
	lock       *os.File   // the directory, which is locked as long as this is open
	controller Controller // of version 1; empty: it is of version 2
	notBeside  error      // why it is below this program's own group, if it is
	next       int
}

// Open makes a group for a host below this program's own, or beside that if this
// program is in a leaf of a subtree that was delegated to it, and looks whether
// processes can be started in one. Groups that dead hosts have left beside it are
// swept. An error says why there can be none.
func Open() (*Host, error) {
	place, err := own()
	if err != nil {
		return nil, err
	}
	return place.open()
}

func openIn(parent string) (*Host, error) {
	sweepStale(parent, 0)
	h, err := create(parent)
	if err != nil {
		return nil, err
	}
	if err := h.probe(); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// create makes and locks a group under the first free name. Names are no secret and
// no proof: a pid comes again, in another namespace at any time.
func create(parent string) (*Host, error) {
	for n := 0; ; n++ {
		path := filepath.Join(parent, fmt.Sprintf("%s%d-%d", prefix, os.Getpid(), n))
		err := os.Mkdir(path, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lock, err := lockGroup(path)
		switch {
		case err == nil:
			return &Host{path: path, lock: lock}, nil
		case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, fs.ErrNotExist):
			continue // another host took it for a dead one's, in the moment before the lock
		}
		return nil, errors.Join(err, os.Remove(path))
	}
}

// lockGroup opens and locks the directory that is at path.
func lockGroup(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(&fs.PathError{Op: "flock", Path: path, Err: err}, f.Close())
	}
	opened, err := f.Stat()
	if err == nil {
		var there fs.FileInfo
		if there, err = os.Stat(path); err == nil && !os.SameFile(opened, there) {
			err = fs.ErrNotExist
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// probe starts a program that does not exist in a group: the start gets as far as
// that, or fails for the group before.
func (h *Host) probe() error {
	g, err := h.New()
	if err != nil {
		return err
	}
	const nothing = "/proc/self/nothing"
	p, err := os.StartProcess(nothing, []string{nothing}, &os.ProcAttr{
		Sys: &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: g.Descriptor()},
	})
	if err == nil {
		_ = p.Kill()
		_, _ = p.Wait()
	}
	removeErr := g.Remove()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("start a process in a control group: %w", err)
	}
	return removeErr
}

// Path returns the group's directory.
func (h *Host) Path() string { return h.path }

// Close removes the group, if nothing is in it, and gives its lock up.
func (h *Host) Close() error {
	err := Remove(h.path)
	_ = h.lock.Close()
	return err
}

// Group is the group of one worker.
type Group struct {
	path   string
	dir    *os.File
	kill   *os.File // cgroup.kill, opened while there were descriptors left; nil: version 1 has none
	enter  *os.File // cgroup.procs, of version 1; nil: the process is born in the group
	events *os.File // what the kernel has killed for want of memory; nil: the memory is not limited here
	memory int64    // its limit, in bytes
}

// New makes a group. The host's methods are for one goroutine at a time.
func (h *Host) New() (*Group, error) {
	h.next++
	path := filepath.Join(h.path, strconv.Itoa(h.next))
	if err := os.Mkdir(path, mode); err != nil {
		return nil, err
	}
	g := &Group{path: path}
	if err := g.open(h.controller); err != nil {
		g.close()
		return nil, errors.Join(err, os.Remove(path))
	}
	return g, nil
}

// open opens what is needed later, when there may be no descriptors left.
func (g *Group) open(controller Controller) (err error) {
	if controller != "" {
		g.enter, err = os.OpenFile(filepath.Join(g.path, "cgroup.procs"), os.O_WRONLY, 0)
		return err
	}
	if g.dir, err = os.Open(g.path); err != nil {
		return err
	}
	g.kill, err = os.OpenFile(filepath.Join(g.path, "cgroup.kill"), os.O_WRONLY, 0)
	return err
}

// close may be called again.
func (g *Group) close() {
	for _, f := range []*os.File{g.dir, g.kill, g.enter, g.events} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// Descriptor returns that of the group's directory, until Started; -1: the process
// cannot be born in it, which is of version 1.
func (g *Group) Descriptor() int {
	if g.dir == nil {
		return -1
	}
	return int(g.dir.Fd())
}

// Entrance returns the descriptor of cgroup.procs, until Started; -1: the process is
// born in the group, which is of version 2.
func (g *Group) Entrance() int {
	if g.enter == nil {
		return -1
	}
	return int(g.enter.Fd())
}

// Started gives up what only the start needs.
func (g *Group) Started() {
	for _, f := range []*os.File{g.dir, g.enter} {
		if f != nil {
			_ = f.Close()
		}
	}
}

// Kill kills all that is in the group and in groups below it. With version 2 it needs
// no descriptor.
func (g *Group) Kill() error {
	if g.kill == nil {
		return killMembers(g.path)
	}
	_, err := g.kill.WriteString("1")
	return err
}

// Remove removes the group with those below it, which a worker that is a host
// made. Until all that was in it has ended it fails with EBUSY. Afterwards the group
// is not to be used.
func (g *Group) Remove() error {
	if err := Remove(g.path); err != nil {
		return err
	}
	g.close()
	return nil
}

// Abandon lets go of a group that cannot be removed; a later host sweeps it.
func (g *Group) Abandon() { g.close() }

// Kill kills all that is in the group at path and below it.
func Kill(path string) error {
	f, err := os.OpenFile(filepath.Join(path, "cgroup.kill"), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return killMembers(path)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString("1")
	return errors.Join(err, f.Close())
}

// Remove removes the group at path, from the lowest below it up. None at all is
// none to remove. With nothing below it that takes no descriptor.
func Remove(path string) error {
	err := remove(path)
	if err == nil || !errors.Is(err, unix.EBUSY) {
		return err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if err := Remove(filepath.Join(path, entry.Name())); err != nil {
			return err
		}
	}
	return remove(path)
}

func remove(path string) error {
	err := unix.Rmdir(path)
	if err == nil || err == unix.ENOENT {
		return nil
	}
	return &fs.PathError{Op: "rmdir", Path: path, Err: err}
}

// sweepStale ends what is left of hosts that died without a guard. A group that can
// be locked has no host. What cannot be removed yet is the next one's to sweep, and
// left is told if there is such, or a group that is named after the host and that
// cannot be locked yet.
func sweepStale(parent string, host int) (left bool) {
	entries, _ := os.ReadDir(parent) // that nothing can be read Open will say
	for _, entry := range entries {
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		path := filepath.Join(parent, entry.Name())
		lock, err := lockGroup(path)
		if err != nil { // it has one, or is another user's
			left = left || errors.Is(err, unix.EWOULDBLOCK) && strings.HasPrefix(entry.Name(), fmt.Sprintf("%s%d-", prefix, host))
			continue
		}
		_ = Kill(path)
		left = Remove(path) != nil || left
		_ = lock.Close()
	}
	return left
}
