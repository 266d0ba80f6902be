package cgroup

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// errNone says that there is no version 2 hierarchy to work in.
var errNone = errors.New("no control group of version 2 is mounted")

// own returns the directory of this program's own group.
func own() (string, error) {
	path, err := membership()
	if err != nil {
		return "", err
	}
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	defer mounts.Close()
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		if dir, ok := within(lines.Text(), path); ok {
			return dir, nil
		}
	}
	return "", errNone
}

// membership reads the path of the group from cgroups(7), /proc/self/cgroup.
func membership() (string, error) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if path, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			if strings.HasPrefix(path, "/..") {
				return "", fmt.Errorf("this program's control group %s is outside its namespace", path)
			}
			return path, nil
		}
	}
	return "", errNone
}

// within returns the directory of a group in a mount that a line of
// proc_pid_mountinfo(5) tells of, if that is one of the version 2 hierarchy.
func within(line, path string) (string, bool) {
	before, after, _ := strings.Cut(line, " - ")
	fields, kind := strings.Fields(before), strings.Fields(after)
	if len(fields) < 5 || len(kind) == 0 || kind[0] != "cgroup2" {
		return "", false
	}
	root, point := unescape(fields[3]), unescape(fields[4])
	rest, ok := strings.CutPrefix(path+"/", strings.TrimSuffix(root, "/")+"/")
	return filepath.Join(point, rest), ok
}

// unescape undoes what mountinfo does to white space and backslashes.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
