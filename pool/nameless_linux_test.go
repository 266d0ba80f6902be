package pool_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor/leaktest"
)

// namedSockets returns the names of the sockets that this process holds: paths,
// or names in the abstract namespace.
var namedSockets = pool.NewTask("namedSockets", func(context.Context, none) ([]string, error) { return ownNamedSockets() })

func ownNamedSockets() (names []string, err error) {
	entries, err := os.ReadDir("/proc/self/fd")
	table, tableErr := os.ReadFile("/proc/self/net/unix")
	if err := errors.Join(err, tableErr); err != nil {
		return nil, err
	}
	for _, entry := range entries {
		target, _ := os.Readlink("/proc/self/fd/" + entry.Name())
		inode := strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")
		for line := range strings.SplitSeq(string(table), "\n") {
			if fields := strings.Fields(line); len(fields) > 7 && fields[6] == inode {
				names = append(names, fields[7])
			}
		}
	}
	return names, nil
}

// SEC-6, SEC-8, SEC-10: nothing of a pool that works has a name by which somebody
// else could open it: no socket, no shared memory, no temporary file.
func TestNothingHasAName(t *testing.T) {
	directory := t.TempDir()
	t.Setenv("TMPDIR", directory)
	before := leaktest.Take()
	p := newProcessPool(t, pool.Config{Workers: 2})
	if names := value(t, namedSockets.Submit(t.Context(), p, none{})); len(names) > 0 {
		t.Errorf("SEC-6: a worker's sockets have names: %q", names)
	}
	names, err := ownNamedSockets()
	if err != nil || len(names) > 0 {
		t.Errorf("SEC-6: the host's sockets have names: %q, %v", names, err)
	}
	if left, err := os.ReadDir(directory); err != nil || len(left) > 0 {
		t.Errorf("SEC-10: temporary files: %v, %v", left, err)
	}
	for _, now := range before.Leaks() { // which tells what is new there from what is another run's
		if strings.HasPrefix(now, "file /dev/shm/") {
			t.Errorf("SEC-8: shared memory: %s", now)
		}
	}
}
