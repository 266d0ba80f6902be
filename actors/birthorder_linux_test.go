//go:build linux && (amd64 || arm64)

package actors_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A limit of descriptors is no limit of those that the process is given.
func TestFilesBeyondLimit(t *testing.T) {
	const n = 20
	command, out := shell(t, "readlink /proc/$$/fd/19; ulimit -n")
	command.Files = append(command.Files, make([]*os.File, n-len(command.Files))...)
	command.Files[n-1] = devNull(t)
	command.Limits.OpenFiles = n / 2
	single(t, newSystem(t), newWorker(), command)
	if got := strings.Fields(out.rest()); len(got) != 2 || got[0] != os.DevNull || got[1] != "10" {
		t.Errorf("%q", got)
	}
}

// The directory must be open to the user that the process runs as.
func TestClosedDirectory(t *testing.T) {
	if otherUser == nil {
		t.Skip("it takes root to start a process as another user")
	}
	command, w := sleeper(), newWorker()
	command.Dir = t.TempDir()
	if err := os.Chmod(command.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	command.Privileges.User = otherUser
	single(t, newSystem(t), w, command)
	select {
	case err := <-w.failed:
		var path *fs.PathError
		if !errors.Is(err, syscall.EACCES) || !errors.As(err, &path) || path.Op != "chdir" || path.Path != command.Dir {
			t.Error(err)
		}
	case <-w.started:
		t.Error("it has started")
	case <-time.After(patience):
		t.Fatal("neither started nor failed")
	}
}
