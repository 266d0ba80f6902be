package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// errNone says that there is no version 2 hierarchy to work in.
var errNone = errors.New("no control group of version 2 is mounted")

// own returns this program's own group.
func own() (Place, error) {
	root := os.DirFS("/")
	paths, err := memberships(root, "")
	if err != nil {
		return Place{}, err
	}
	if strings.HasPrefix(paths[2], "/..") {
		return Place{}, fmt.Errorf("this program's control group %s is outside its namespace", paths[2])
	}
	places, err := Places(root, "")
	for _, p := range places {
		if p.Version == 2 {
			return p, nil
		}
	}
	if err == nil {
		err = errNone
	}
	return Place{}, err
}

// Place is a group that this program is in. Its paths have no slash before them, as
// package io/fs has it.
type Place struct {
	Version   int
	Directory string // the group's
	Mount     string // that at which its hierarchy, or a part of it, is mounted: at Directory or above
}

// Places returns the groups that this program is in, as far as they are mounted where
// it sees them: in the hierarchy of version 2, and in that of version 1 which has the
// controller. See proc_pid_mountinfo(5), cgroups(7). A kernel without control groups
// has none.
func Places(root fs.FS, controller string) (places []Place, err error) {
	own, err := memberships(root, controller)
	if err != nil || len(own) == 0 {
		return nil, err
	}
	mounts, err := fs.ReadFile(root, "proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mounts)) {
		m, ok := parseMount(line, controller)
		if !ok {
			continue
		}
		if group, member := own[m.version]; member {
			if dir, inside := m.within(group); inside {
				places = append(places, Place{Version: m.version, Directory: dir, Mount: m.point})
			}
		}
	}
	return places, nil
}

// memberships returns the path of this program's group in each version's hierarchy.
func memberships(root fs.FS, controller string) (map[int]string, error) {
	file, err := fs.ReadFile(root, "proc/self/cgroup")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	paths := make(map[int]string)
	for line := range strings.Lines(string(file)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3) // number, controllers, path
		switch {
		case len(parts) < 3:
		case parts[1] == "":
			paths[2] = parts[2]
		case has(parts[1], controller):
			paths[1] = parts[2]
		}
	}
	return paths, err
}

// mount is where a hierarchy, or what is below root in it, is mounted.
type mount struct {
	version     int
	root, point string
}

// parseMount takes a line of mountinfo apart that is about version 2, or about the
// controller of version 1.
func parseMount(line, controller string) (m mount, ok bool) {
	before, after, _ := strings.Cut(line, " - ")
	where, kind := strings.Fields(before), strings.Fields(after)
	switch {
	case len(where) < 5 || len(kind) < 3:
		return m, false
	case kind[0] == "cgroup2":
		m.version = 2
	case kind[0] == "cgroup" && has(kind[2], controller):
		m.version = 1
	default:
		return m, false
	}
	m.root = unescape(where[3])
	m.point = strings.TrimPrefix(unescape(where[4]), "/")
	return m, true
}

// within returns the directory of a group, if it is in what is mounted.
func (m mount) within(group string) (dir string, ok bool) {
	below, ok := strings.CutPrefix(group+"/", strings.TrimSuffix(m.root, "/")+"/")
	return path.Join(m.point, below), ok
}

func has(list, controller string) bool {
	return controller != "" && slices.Contains(strings.Split(list, ","), controller)
}

// unescape undoes what mountinfo does to white space and backslashes.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
