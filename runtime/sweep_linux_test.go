package runtime_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/runtime"
	"github.com/stint-go/stint/runtime/internal/cgroup"
)

// A worker that has a host of its own is killed by its mark, and its guard with it: what
// that host had of control groups is gone when this one is closed.
func TestGroupsOfAWorkersHost(t *testing.T) {
	for _, controller := range []string{"", "memory"} {
		t.Run("with controller "+controller, func(t *testing.T) {
			places, err := cgroup.Places(os.DirFS("/"), controller)
			if err != nil || len(places) == 0 {
				t.Skipf("this machine has no control groups: %v", err)
			}
			group := filepath.Join("/", places[0].Directory, "stint-999999999-0") // no process has that pid
			h, err := runtime.Start(runtime.Config{Containment: runtime.ContainMark, Logger: slog.New(slog.DiscardHandler)})
			if impossible := (*runtime.ContainmentError)(nil); errors.As(err, &impossible) {
				t.Skipf("not on this machine: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			f := settle(t, h)
			if err := os.Mkdir(group, 0o700); err != nil {
				t.Skipf("this user may not make control groups: %v", err)
			}
			f.process.Kill(actors.Ladder{}, actors.Cause{})
			<-f.exited
			if err := h.Close(); err != nil {
				t.Error(err)
			}
			eventually(t, "the group's end", func() bool { // another program's host may be at it at this moment
				_, err := os.Stat(group)
				return errors.Is(err, fs.ErrNotExist)
			})
		})
	}
}
