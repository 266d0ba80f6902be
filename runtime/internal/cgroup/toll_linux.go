package cgroup

import (
	"os"
	"path/filepath"
)

// Toll counts the processes that the kernel has killed for want of memory: in this
// program's own group, with those below it, or where its memory is not accounted for on the whole
// machine. It holds the file open, so that it needs no descriptor when there are none
// left. A nil one has nothing to tell.
type Toll struct {
	file *os.File
}

// OpenToll opens the best that there is; nil: none.
func OpenToll() *Toll {
	places, _ := Places(os.DirFS("/"), string(Memory))
	var files []string
	for _, p := range places {
		file := "memory.events"
		if p.Version == 1 {
			file = "memory.oom_control"
		}
		files = append(files, filepath.Join("/", p.Directory, file))
	}
	for _, path := range append(files, "/proc/vmstat") {
		if f, err := os.Open(path); err == nil {
			return &Toll{f}
		}
	}
	return nil
}

// Close closes the file.
func (t *Toll) Close() {
	if t != nil {
		_ = t.file.Close()
	}
}

// Source returns the file's name.
func (t *Toll) Source() string { return t.file.Name() }

// Count returns the number. It costs some microseconds.
func (t *Toll) Count() int64 {
	if t == nil {
		return 0
	}
	n, _ := read(t.file, "oom_kill")
	return n
}
