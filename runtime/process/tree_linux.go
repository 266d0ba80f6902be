package process

import (
	"os"
	"strconv"
)

// relative is a process in a family.
type relative struct {
	Process
	stat stat
}

// still tells that it does nothing any more: it is stopped or has ended. One that
// is blocked has most likely been stopped in a vfork, and waits for its child.
func (r relative) still() bool {
	switch State(r.stat.state) {
	case Stopped, Traced, Zombie, Dead, Blocked:
		return true
	}
	return false
}

// family is all processes of the system, by their pids and by those of their
// parents.
type family struct {
	members  map[int]relative
	children map[int][]relative
}

// scan reads all of /proc. Processes that end meanwhile are left out.
func scan() (family, error) {
	f := family{members: map[int]relative{}, children: map[int][]relative{}}
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
		line, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue
		}
		if s, err := parseStat(line); err == nil {
			f.enter(relative{Process{pid, s.start}, s})
		}
	}
	return f, nil
}

func (f family) enter(r relative) {
	f.members[r.pid] = r
	f.children[r.stat.parent] = append(f.children[r.stat.parent], r)
}

// tree returns p, its children, theirs, and so on: each after its parent. None,
// if p is not there any more.
func (f family) tree(p Process) []relative {
	root, there := f.members[p.pid]
	if !there || root.Process != p {
		return nil
	}
	all := []relative{root}
	for i := 0; i < len(all); i++ {
		all = append(all, f.childrenOf(all[i].Process)...)
	}
	return all
}

// childrenOf returns the children of p. None is older than p: that one would be
// of a process that had the pid before.
func (f family) childrenOf(p Process) (children []relative) {
	for _, child := range f.children[p.pid] {
		if child.start >= p.start {
			children = append(children, child)
		}
	}
	return children
}
