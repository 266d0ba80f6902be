package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Controller is one by which a group bounds what is in it.
type Controller string

// The controllers.
const (
	Memory Controller = "memory"
	Pids   Controller = "pids"
)

// OpenController makes a group for a host in the hierarchy of version 1 that has the
// controller, below this program's own group there, and looks whether a limit can be
// set in one. Groups that dead hosts have left beside it are swept. An error says why
// there can be none.
func OpenController(c Controller) (*Host, error) {
	parent, err := ownOf(c)
	if err != nil {
		return nil, err
	}
	sweepStale(parent, 0)
	h, err := create(parent)
	if err != nil {
		return nil, err
	}
	h.controller = c
	g, err := h.New()
	if err == nil {
		err = errors.Join(g.limit(c, probeLimit), g.Remove())
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// probeLimit is one that a group without processes can have.
const probeLimit = 1 << 20

// Sweep ends what dead hosts have left where this program's have their groups, in
// hierarchies of both versions: a host of its own that a worker had, and the one of the
// given pid. It returns whether nothing is left of it.
func Sweep(host int) (done bool) {
	done = true
	if place, err := own(); err == nil {
		if above, why := place.delegated(); why == nil {
			sweepStale(above, 0)
		}
		sweepStale("/"+place.Directory, 0)
	}
	for _, c := range []Controller{Memory, Pids} {
		if parent, err := ownOf(c); err == nil && sweepStale(parent, host) {
			done = false
		}
	}
	return done
}

// ownOf returns the directory of this program's own group in the hierarchy of version
// 1 that has the controller.
func ownOf(c Controller) (string, error) {
	places, err := Places(os.DirFS("/"), string(c))
	for _, p := range places {
		switch {
		case p.Version != 1:
		case !strings.HasPrefix(p.Directory+"/", p.Mount+"/"):
			return "", fmt.Errorf("this program's control group with the controller %s is outside its namespace", c)
		default:
			return "/" + p.Directory, nil
		}
	}
	if err == nil {
		err = fmt.Errorf("no control group of version 1 with the controller %s is mounted", c)
	}
	return "", err
}

// Enable has the groups that a host of version 2 makes from now on have the
// controller. That takes that the group in which the host's is has it for those below it, or
// may have it: no group with processes in it may, but for the root (cgroups(7), "no
// internal processes"). An error says why not, and what would help.
func (h *Host) Enable(c Controller) error {
	above := filepath.Dir(h.path)
	if err := enable(above, c); err != nil {
		if h.notBeside != nil && !isRoot(above) {
			err = fmt.Errorf("%w; %w", err, h.notBeside)
		}
		return err
	}
	return enable(h.path, c)
}

// enable changes nothing where there are processes: controllers that work for threads, such as pids,
// the kernel would let it have, and then no process into the groups below it.
func enable(path string, c Controller) error {
	there, err := os.ReadFile(filepath.Join(path, "cgroup.controllers"))
	if err != nil {
		return err
	}
	switch {
	case contains(there, c):
	case isRoot(path):
		return fmt.Errorf("the control groups of version 2 do not have the controller %s: version 1 has it, or the kernel is without; "+
			"have it booted with cgroup_no_v1=%[1]s, or without cgroup_disable=%[1]s", c)
	default:
		return fmt.Errorf("the control group %s does not have the controller %s: have it enabled in each group above, "+
			"by +%[2]s in its cgroup.subtree_control (systemd: Delegate=yes)", path, c)
	}
	control := filepath.Join(path, "cgroup.subtree_control")
	enabled, err := os.ReadFile(control)
	if err != nil || contains(enabled, c) {
		return err
	}
	occupied, err := hasProcesses(path)
	if err != nil {
		return err
	}
	if occupied && !isRoot(path) {
		return fmt.Errorf("the control group %s has processes in it, so that no group below it can have the controller %s", path, c)
	}
	return write(control, "+"+string(c))
}

// isRoot reports whether a group is the root of the hierarchy, and not only of what a
// namespace sees of it.
func isRoot(path string) bool {
	_, err := os.Stat(filepath.Join(path, "cgroup.type"))
	return errors.Is(err, fs.ErrNotExist)
}

func contains(list []byte, c Controller) bool {
	for _, word := range bytes.Fields(list) {
		if string(word) == string(c) {
			return true
		}
	}
	return false
}

// LimitMemory limits what the processes in the group have together, in bytes: also
// what the system keeps for them, such as pages of files as long as somebody else does
// not need the memory. When there is no other, version 2 kills all of them and version 1
// one of them. Swap counts, where it can be counted.
func (g *Group) LimitMemory(limit int64) error { return g.limit(Memory, limit) }

// LimitProcesses limits how many processes and threads are in the group.
func (g *Group) LimitProcesses(limit int64) error { return g.limit(Pids, limit) }

func (g *Group) limit(c Controller, limit int64) (err error) {
	value := strconv.FormatInt(limit, 10)
	switch {
	case c == Pids:
		return g.set("pids.max", value)
	case g.kill != nil: // version 2
		err = errors.Join(g.set("memory.max", value), g.perhaps("memory.oom.group", "1"), g.perhaps("memory.swap.max", "0"))
	default:
		err = errors.Join(g.set("memory.limit_in_bytes", value), g.perhaps("memory.memsw.limit_in_bytes", value), g.perhaps("memory.swappiness", "0"))
	}
	if err == nil {
		g.memory = limit
		g.events, err = os.Open(filepath.Join(g.path, g.eventsFile()))
	}
	return err
}

func (g *Group) set(file, value string) error { return write(filepath.Join(g.path, file), value) }

// perhaps sets what not each kernel has.
func (g *Group) perhaps(file, value string) error {
	if err := g.set(file, value); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func write(path, value string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// The files that count what the kernel has killed for want of memory, of each version.
const (
	eventsOfOne = "memory.oom_control"
	eventsOfTwo = "memory.events"
)

func (g *Group) eventsFile() string {
	if g.kill != nil {
		return eventsOfTwo
	}
	return eventsOfOne
}

// Killed returns how many processes in a group whose memory is limited the kernel has
// killed for want of memory, and whether it was the group's limit that was reached,
// and not that of a group above, or of the machine.
func (g *Group) Killed() (n int64, overflow bool, err error) {
	n, err = read(g.events, "oom_kill")
	if err != nil || n == 0 {
		return n, false, err
	}
	if g.kill != nil {
		own, err := read(g.events, "oom")
		return n, own > 0, err
	}
	peak, err := g.Peak()
	return n, err != nil || peak+slack >= g.memory, nil
}

// slack is how far below the limit the kernel may stop, in bytes: what is charged at a
// time, for each processor.
const slack = 4 << 20

// EventsFile returns where Killed has its number from.
func (g *Group) EventsFile() string { return g.events.Name() }

// read returns the number behind a key in a small file that is open.
func read(f *os.File, key string) (int64, error) {
	var buffer [16 << 10]byte
	n, err := unix.Pread(int(f.Fd()), buffer[:], 0)
	if err != nil {
		return 0, &fs.PathError{Op: "read", Path: f.Name(), Err: err}
	}
	return count(string(buffer[:n]), key), nil
}

// count returns the number behind a key, in a file of lines of both; 0 without it.
func count(file, key string) (n int64) {
	for line := range strings.Lines(file) {
		if number, ok := strings.CutPrefix(line, key+" "); ok {
			n, _ = strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		}
	}
	return n
}

// Peak returns the most memory that the group has had at a time, in bytes.
func (g *Group) Peak() (int64, error) {
	file := "memory.max_usage_in_bytes"
	if g.kill != nil {
		file = "memory.peak" // Linux 5.19
	}
	text, err := os.ReadFile(filepath.Join(g.path, file))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}

// TellOverflow has an eventfd written to, right before the kernel kills a process in a group of
// version 1 whose memory is limited, and when the group is removed. With version 2 all
// in the group are killed, so that there is nothing to tell.
func (g *Group) TellOverflow(eventfd int) error {
	if g.kill != nil {
		return nil
	}
	return g.set("cgroup.event_control", fmt.Sprintf("%d %d", eventfd, g.events.Fd()))
}
