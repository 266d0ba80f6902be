package cgroup

import (
	"os"
	"path/filepath"
)

// Toll counts the processes that the kernel has killed for want of memory: in a host's
// group or this program's own, with those below it, or where their memory is not accounted
// for on the whole machine. It holds the file open, so that it needs no descriptor when
// there are none left. A nil one has nothing to tell.
type Toll struct {
	file *os.File
}

// OpenToll opens the best that there is for a host, of which the group may be nil; nil: none.
func OpenToll(h *Host) *Toll {
	places, _ := Places(os.DirFS("/"), string(Memory))
	var files []string
	if h != nil {
		files = append(files, filepath.Join(h.path, eventsOfTwo), filepath.Join(filepath.Dir(h.path), eventsOfTwo))
	}
	for _, p := range places {
		file := eventsOfTwo
		if p.Version == 1 {
			file = eventsOfOne
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
