package leaktest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// sharedMemory is where shared memory has its names.
var sharedMemory = "/dev/shm"

func (things inventory) addSystem() {
	things.addDescriptors()
	things.addMappings()
	all := processes()
	for _, p := range all {
		if all.ours(p) {
			things[fmt.Sprintf("process %d %s", p.pid, p.start)] = p.String()
		}
	}
	things.addNames(sharedMemory, all.ownName)
}

func (things inventory) addDescriptors() {
	const dir = "/proc/self/fd"
	entries, _ := os.ReadDir(dir)
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(dir, entry.Name()))
		if err != nil || isProfile(target) {
			continue // closed meanwhile, as the one that read dir is
		}
		line := fmt.Sprintf("fd %s: %s", entry.Name(), target)
		things[line] = line
	}
}

// addMappings adds the shared memory of our prefix that is mapped.
func (things inventory) addMappings() {
	maps, _ := os.ReadFile("/proc/self/maps")
	for line := range strings.Lines(string(maps)) {
		if strings.Contains(line, "/memfd:"+prefix) {
			address, _, _ := strings.Cut(line, " ")
			things["mapping "+address] = "mapping " + strings.Join(strings.Fields(line), " ")
		}
	}
}

// isProfile tells whether path is one of the two files that package testing
// opens for its flags and never closes.
func isProfile(path string) bool {
	for _, name := range []string{"test.cpuprofile", "test.trace"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" &&
			filepath.Base(f.Value.String()) == filepath.Base(path) {
			return true
		}
	}
	return false
}

// ownName tells whether an object of our prefix is not that of another run:
// "stint-PID-…" where PID is alive and not ours.
func (all table) ownName(name string) bool {
	digits, _, _ := strings.Cut(strings.TrimPrefix(name, prefix), "-")
	pid, err := strconv.Atoi(digits)
	if err != nil || pid == os.Getpid() {
		return true
	}
	p, alive := all[pid]
	return !alive || all.ours(p)
}
