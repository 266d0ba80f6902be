package process

import (
	"testing"
	"testing/fstest"
)

// Layouts that the machine of the test may not have, as the kernel writes them.
func TestQuotas(t *testing.T) {
	type files map[string]string
	for name, c := range map[string]struct {
		files files
		want  float64 // 0: no quota
	}{
		"no control groups": {files{}, 0},
		"version 2": {files{
			"proc/self/cgroup":                    "0::/a/b\n",
			"proc/self/mountinfo":                 "30 23 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
			"sys/fs/cgroup/a/cpu.max":             "150000 100000\n",
			"sys/fs/cgroup/a/b/cpu.max":           "max 100000\n",
			"sys/fs/cgroup/a/b/not-ours/cpu.max":  "10000 100000\n",
			"sys/fs/cgroup/not-ours-too/cpu.max":  "10000 100000\n",
			"sys/fs/cgroup/a/b/cpu.cfs_quota_us":  "10000\n",
			"sys/fs/cgroup/a/b/cpu.cfs_period_us": "100000\n",
		}, 1.5},
		"both versions": {files{
			"proc/self/cgroup": "4:cpu,cpuacct:/a\n3:cpuset:/b\n0::/c\n",
			"proc/self/mountinfo": "30 23 0:27 / /cg/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
				"31 23 0:28 / /cg/cpuset rw - cgroup cgroup rw,cpuset\n" +
				"32 23 0:29 / /cg/unified rw - cgroup2 cgroup2 rw\n",
			"cg/cpu,cpuacct/a/cpu.cfs_quota_us":  "25000\n",
			"cg/cpu,cpuacct/a/cpu.cfs_period_us": "50000\n",
			"cg/cpu,cpuacct/cpu.cfs_quota_us":    "-1\n",
			"cg/cpu,cpuacct/cpu.cfs_period_us":   "100000\n",
		}, 0.5},
		"a container that sees its own group alone": {files{
			"proc/self/cgroup":      "0::/pods/p1\n",
			"proc/self/mountinfo":   "30 23 0:27 /pods/p1 /with\\040space rw - cgroup2 cgroup2 rw\n",
			"with space/cpu.max":    "200000 100000\n",
			"pods/p1/cpu.max":       "10000 100000\n",
			"with space/p1/cpu.max": "10000 100000\n",
		}, 2},
		"a group beside what is mounted": {files{
			"proc/self/cgroup":          "0::/pods-too\n",
			"proc/self/mountinfo":       "30 23 0:27 /pods /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			"sys/fs/cgroup/cpu.max":     "10000 100000\n",
			"sys/fs/cgroup-too/cpu.max": "10000 100000\n",
		}, 0},
		"a group outside what is mounted": {files{
			"proc/self/cgroup":      "0::/../other\n",
			"proc/self/mountinfo":   "30 23 0:27 /pods /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			"sys/fs/cgroup/cpu.max": "10000 100000\n",
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{}
			for path, text := range c.files {
				root[path] = &fstest.MapFile{Data: []byte(text)}
			}
			groups, err := cpuGroups(root)
			if err != nil {
				t.Fatal(err)
			}
			least := 0.0
			for _, group := range groups {
				quota, limited, err := group.quota(root)
				if err != nil {
					t.Fatal(err)
				}
				if limited && (least == 0 || quota < least) {
					least = quota
				}
			}
			if least != c.want {
				t.Errorf("%v of %v, want %v", least, groups, c.want)
			}
		})
	}
	broken := fstest.MapFS{"g/cpu.max": &fstest.MapFile{Data: []byte("much 100000\n")}}
	if _, _, err := (cpuGroup{"g", 2}).quota(broken); err == nil {
		t.Error("a quota of \"much\" is none")
	}
}
