package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

func availableCPUs() (float64, error) {
	cpus, err := affinity(os.Getpid())
	if err != nil {
		return 0, err
	}
	available := float64(len(cpus))
	groups, err := cpuGroups(os.DirFS("/"))
	if err != nil {
		return 0, err
	}
	for _, group := range groups {
		quota, limited, err := group.quota(os.DirFS("/"))
		switch {
		case err != nil:
			return 0, err
		case limited:
			available = min(available, quota)
		}
	}
	return available, nil
}

// cpuGroup is a control group that bounds this program's CPU time, by its
// directory, without the slash before it.
type cpuGroup struct {
	directory string
	version   int
}

// cpuGroups returns the groups that this program is in and those above, as far as
// they are mounted where it sees them. See proc_pid_mountinfo(5), cgroups(7).
func cpuGroups(root fs.FS) (groups []cpuGroup, err error) {
	own, err := ownPaths(root)
	if err != nil || len(own) == 0 {
		return nil, err
	}
	mounts, err := fs.ReadFile(root, "proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mounts)) {
		before, after, _ := strings.Cut(line, " - ")
		where, kind := strings.Fields(before), strings.Fields(after)
		if len(where) < 5 || len(kind) < 3 {
			continue
		}
		version := 0
		switch {
		case kind[0] == "cgroup2":
			version = 2
		case kind[0] == "cgroup" && slices.Contains(strings.Split(kind[2], ","), "cpu"):
			version = 1
		}
		own, ok := own[version]
		below, inside := strings.CutPrefix(own, strings.TrimSuffix(unescape(where[3]), "/"))
		if !ok || !inside || below != "" && below[0] != '/' {
			continue // not of CPUs, or the group is outside what is mounted
		}
		top := strings.TrimPrefix(unescape(where[4]), "/")
		for at := path.Join(top, below); ; at = path.Dir(at) {
			groups = append(groups, cpuGroup{at, version})
			if at == top || at == "." {
				break
			}
		}
	}
	return groups, nil
}

// ownPaths returns the path of this program's group in each version's hierarchy.
func ownPaths(root fs.FS) (map[int]string, error) {
	file, err := fs.ReadFile(root, "proc/self/cgroup")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // a kernel without control groups
	}
	paths := make(map[int]string)
	for line := range strings.Lines(string(file)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3) // number, controllers, path
		switch {
		case len(parts) < 3:
		case parts[1] == "":
			paths[2] = parts[2]
		case slices.Contains(strings.Split(parts[1], ","), "cpu"):
			paths[1] = parts[2]
		}
	}
	return paths, err
}

// quota returns how many CPUs the group may use in all.
func (g cpuGroup) quota(root fs.FS) (cpus float64, limited bool, err error) {
	quota, period := "", ""
	if g.version == 2 {
		var both []byte
		both, err = fs.ReadFile(root, path.Join(g.directory, "cpu.max"))
		quota, period, _ = strings.Cut(string(bytes.TrimSpace(both)), " ")
	} else {
		var one, other []byte
		one, err = fs.ReadFile(root, path.Join(g.directory, "cpu.cfs_quota_us"))
		if err == nil {
			other, err = fs.ReadFile(root, path.Join(g.directory, "cpu.cfs_period_us"))
		}
		quota, period = string(bytes.TrimSpace(one)), string(bytes.TrimSpace(other))
	}
	switch {
	case errors.Is(err, fs.ErrNotExist): // the topmost group has none, nor has one without the controller
		return 0, false, nil
	case err != nil:
		return 0, false, err
	case quota == "max" || strings.HasPrefix(quota, "-"):
		return 0, false, nil
	}
	time, err := strconv.ParseFloat(quota, 64)
	every, err2 := strconv.ParseFloat(period, 64)
	if err := errors.Join(err, err2); err != nil || every <= 0 {
		return 0, false, fmt.Errorf("/%s: a quota of %q in %q µs: %w", g.directory, quota, period, err)
	}
	return time / every, true, nil
}

// unescape undoes what the kernel does to spaces, and so on, in a path of mountinfo.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
