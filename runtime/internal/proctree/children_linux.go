package proctree

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
)

// Relative is a process in a family.
type Relative struct {
	Process
	Stat Stat
}

// Below returns the children of p, their children, and so on, each after its parent.
// Those whose parent has ended, also while this reads, are somebody else's children.
//
// The error is os.ErrProcessDone if p is gone, or the system's.
func Below(p Process) ([]Relative, error) {
	childrenOf, err := kinship()
	if err != nil {
		return nil, err
	}
	all := []Relative{{Process: p}}
	for i := 0; i < len(all); i++ {
		children, err := childrenOf(all[i].Process)
		switch {
		case err == nil:
			all = append(all, children...)
		case i == 0 || !errors.Is(err, os.ErrProcessDone):
			return nil, err
		}
	}
	return all[1:], nil
}

// Children returns the processes of which p is the parent. The error is Below's.
func Children(p Process) ([]Relative, error) {
	childrenOf, err := kinship()
	if err != nil {
		return nil, err
	}
	return childrenOf(p)
}

// kinship returns what finds a process's children: os.ErrProcessDone if it is gone.
func kinship() (func(Process) ([]Relative, error), error) {
	if listed() {
		return childrenOf, nil
	}
	all, err := scan()
	return all.childrenOf, err
}

// listed reports whether the kernel lists the children of a thread. It does so as a
// rule (CONFIG_PROC_CHILDREN), and then a tree costs what is in it; else what is in
// the system.
var listed = sync.OnceValue(func() bool {
	_, err := os.Stat("/proc/thread-self/children")
	return err == nil
})

// childrenOf returns the processes of which p is the parent. A child belongs to the
// thread that has made it.
func childrenOf(p Process) (children []Relative, err error) {
	tasks, err := threads(p.PID)
	if err != nil {
		return nil, err
	}
	for _, task := range tasks {
		list, err := os.ReadFile(task + "/children")
		if errors.Is(Gone(err), os.ErrProcessDone) {
			continue // a thread that has ended: its children are another thread's now
		}
		if err != nil {
			return nil, err
		}
		for field := range strings.FieldsSeq(string(list)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				return nil, err
			}
			s, err := ReadStat(pid)
			if errors.Is(err, os.ErrProcessDone) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if s.Parent == p.PID {
				children = append(children, Relative{Process{pid, s.Start}, s})
			}
		}
	}
	if s, err := ReadStat(p.PID); err != nil || s.Start != p.Start { // it was p that was read of
		if err == nil {
			err = os.ErrProcessDone
		}
		return nil, err
	}
	return children, nil
}

// threads returns the directories of a process's threads.
func threads(pid int) (tasks []string, err error) {
	path := "/proc/" + strconv.Itoa(pid) + "/task"
	directory, err := os.Open(path)
	if err != nil {
		return nil, Gone(err)
	}
	defer directory.Close()
	names, err := directory.Readdirnames(-1)
	if err != nil {
		return nil, Gone(err)
	}
	for _, name := range names {
		tasks = append(tasks, path+"/"+name)
	}
	return tasks, nil
}

// family is all processes of the system, by their pids and by those of their
// parents.
type family struct {
	members  map[int]Relative
	children map[int][]Relative
}

// scan reads all of /proc. Processes that end meanwhile are left out.
func scan() (family, error) {
	f := family{members: map[int]Relative{}, children: map[int][]Relative{}}
	directory, err := os.Open("/proc")
	if err != nil {
		return f, err
	}
	defer directory.Close()
	names, err := directory.Readdirnames(-1)
	if err != nil {
		return f, err
	}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		s, err := ReadStat(pid)
		if errors.Is(err, os.ErrProcessDone) {
			continue
		}
		if err != nil {
			return f, err
		}
		r := Relative{Process{pid, s.Start}, s}
		f.members[pid] = r
		f.children[s.Parent] = append(f.children[s.Parent], r)
	}
	return f, nil
}

// childrenOf returns the children of p. None is older than p: that one would be
// of a process that had the pid before.
func (f family) childrenOf(p Process) (children []Relative, err error) {
	if f.members[p.PID].Process != p {
		return nil, os.ErrProcessDone
	}
	for _, child := range f.children[p.PID] {
		if child.Start >= p.Start {
			children = append(children, child)
		}
	}
	return children, nil
}
