package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/stint-go/stint/runtime/internal/cgroup"
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
// it sees them.
func cpuGroups(root fs.FS) (groups []cpuGroup, err error) {
	places, err := cgroup.Places(root, "cpu")
	for _, p := range places {
		for at := p.Directory; ; at = path.Dir(at) {
			groups = append(groups, cpuGroup{at, p.Version})
			if at == p.Mount || at == "." {
				break
			}
		}
	}
	return groups, err
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
