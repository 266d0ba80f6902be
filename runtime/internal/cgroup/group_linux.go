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

// Host is the group of one host, in which its workers' groups are.
type Host struct {
	path string
	lock *os.File // the directory, which is locked as long as this is open
	next int
}

// Open makes a group for a host below this program's own, and looks whether
// processes can be started in one. Groups that dead hosts have left beside it are
// swept. An error says why there can be none.
func Open() (*Host, error) {
	parent, err := own()
	if err != nil {
		return nil, err
	}
	return openIn(parent)
}

func openIn(parent string) (*Host, error) {
	sweepStale(parent)
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
	path string
	dir  *os.File
	kill *os.File // cgroup.kill, opened while there were descriptors left
}

// New makes a group. The host's methods are for one goroutine at a time.
func (h *Host) New() (*Group, error) {
	h.next++
	path := filepath.Join(h.path, strconv.Itoa(h.next))
	if err := os.Mkdir(path, mode); err != nil {
		return nil, err
	}
	dir, err := os.Open(path)
	if err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	kill, err := os.OpenFile(filepath.Join(path, "cgroup.kill"), os.O_WRONLY, 0)
	if err != nil {
		return nil, errors.Join(err, dir.Close(), os.Remove(path))
	}
	return &Group{path: path, dir: dir, kill: kill}, nil
}

// Descriptor returns that of the group's directory, until Started.
func (g *Group) Descriptor() int { return int(g.dir.Fd()) }

// Started gives up what only the start needs.
func (g *Group) Started() {
	_ = g.dir.Close()
}

// Kill kills all that is in the group and in groups below it. It needs no
// descriptor.
func (g *Group) Kill() error {
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
	_ = g.dir.Close() // perhaps again
	return g.kill.Close()
}

// Abandon lets go of a group that cannot be removed; a later host sweeps it.
func (g *Group) Abandon() {
	_ = g.dir.Close() // perhaps again
	_ = g.kill.Close()
}

// Kill kills all that is in the group at path and below it.
func Kill(path string) error {
	f, err := os.OpenFile(filepath.Join(path, "cgroup.kill"), os.O_WRONLY, 0)
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
// be locked has no host. What cannot be removed yet is the next one's to sweep.
func sweepStale(parent string) {
	entries, _ := os.ReadDir(parent) // that nothing can be read Open will say
	for _, entry := range entries {
		if !entry.IsDir() || !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		path := filepath.Join(parent, entry.Name())
		lock, err := lockGroup(path)
		if err != nil {
			continue // it has one, or is another user's
		}
		_ = Kill(path)
		_ = Remove(path)
		_ = lock.Close()
	}
}
