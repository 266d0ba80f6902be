package leaktest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/goleak"
)

// prefix begins the name of every file and shared-memory object of ours.
const prefix = "stint-"

// A Snapshot is what there was at one moment. It is immutable.
type Snapshot struct {
	goroutines goleak.Option
	things     inventory
}

// An inventory holds what would be a leak if it were new: its identity, which
// no later thing can share, and what a report says of it.
type inventory map[string]string

// LeakError tells what was left behind, one entry each.
type LeakError struct {
	Leaks  []string
	Waited time.Duration // how long they were given to go
}

// Error is a report of several lines.
func (e *LeakError) Error() string {
	return fmt.Sprintf("leaktest: left behind, %v after the end:\n- %s", e.Waited, strings.Join(e.Leaks, "\n- "))
}

// Take notes what there is now. The first call puts a mark into this process's
// environment, by which processes that inherit it are known again.
func Take() *Snapshot {
	mark()
	openNetpoller()
	return &Snapshot{goroutines: goleak.IgnoreCurrent(), things: take()}
}

// Leaks tells what there is now beyond s. It may take half a second when
// goroutines are left, for they get a little time to end.
func (s *Snapshot) Leaks() []string {
	var leaks []string
	now := take()
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if _, before := s.things[id]; !before {
			leaks = append(leaks, now[id])
		}
	}
	if err := goleak.Find(s.goroutines); err != nil {
		leaks = append(leaks, strings.TrimSpace(err.Error()))
	}
	return leaks
}

// Wait returns nil as soon as there is nothing beyond s, or a *LeakError when
// there still is after limit. It looks at least once.
func (s *Snapshot) Wait(limit time.Duration) error {
	begin := time.Now()
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		leaks := s.Leaks()
		if len(leaks) == 0 {
			return nil
		}
		if time.Since(begin) >= limit {
			return &LeakError{Leaks: leaks, Waited: limit}
		}
		time.Sleep(pause)
	}
}

func take() inventory {
	things := inventory{}
	things.addSystem()
	things.addNames(os.TempDir(), func(string) bool { return true })
	return things
}

// addNames adds the entries of dir that begin with our prefix and are ours.
func (things inventory) addNames(dir string, ours func(name string) bool) {
	entries, _ := os.ReadDir(dir) // a directory that cannot be read holds nothing of ours
	for _, entry := range entries {
		if name := entry.Name(); strings.HasPrefix(name, prefix) && ours(name) {
			path := filepath.Join(dir, name)
			things["name "+path] = "file " + path
		}
	}
}

// openNetpoller makes the Go runtime open the descriptors that it opens once
// and keeps: those of its network poller.
func openNetpoller() {
	if r, w, err := os.Pipe(); err == nil {
		_ = r.Close()
		_ = w.Close()
	}
}

// markVariable names the environment variable that holds the marks of this
// process and of those above it that took a snapshot.
const markVariable = "STINT_LEAKTEST"

// mark returns this process's own mark.
var mark = sync.OnceValue(func() string {
	own := fmt.Sprintf("<%d-%d>", os.Getpid(), time.Now().UnixNano())
	_ = os.Setenv(markVariable, os.Getenv(markVariable)+own)
	return own
})
