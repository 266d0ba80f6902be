package reactor_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor"
)

// journal is a log that is written to and read from any goroutine.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

// count returns the number of lines that hold text.
func (j *journal) count(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), text)
}

// openLogged opens a reactor that writes into the returned journal.
func openLogged(t testing.TB, b reactor.Backend) (*reactor.Reactor, *journal) {
	t.Helper()
	j := new(journal)
	r, err := reactor.New(reactor.Config{Backend: b, Logger: slog.New(slog.NewTextHandler(j, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, j
}

// hoardDescriptors opens all descriptors that the program may have, and returns
// a function that closes them.
func hoardDescriptors(t testing.TB) (free func()) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	limit.Cur = min(limit.Cur, 100)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	var all []int
	for {
		fd, err := unix.Open("/", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == unix.EMFILE {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fd)
	}
	return sync.OnceFunc(func() {
		for _, fd := range all {
			_ = unix.Close(fd)
		}
	})
}

func TestNoDescriptorsLeft(t *testing.T) {
	if !alone(t) {
		return
	}
	r, log := openLogged(t, reactor.BackendPidfd)
	var all []*os.Process
	for range 3 {
		all = append(all, start(t, tool(t, "sleep", "1000")))
	}
	free := hoardDescriptors(t)
	defer free()

	t.Run("New is refused", func(t *testing.T) {
		_, err := reactor.New(reactor.Config{})
		var be *reactor.BackendError
		if !errors.Is(err, unix.EMFILE) || !errors.As(err, &be) {
			t.Errorf("New: %v", err)
		}
	})
	var cs []*child
	for _, p := range all {
		cs = append(cs, watchProcess(t, r, p))
	}
	t.Run("what cannot have a pidfd is polled", func(t *testing.T) {
		if s := r.Stats(); s.Backend != reactor.BackendPidfd || s.Watches != 3 || s.Polled != 3 {
			t.Errorf("%+v", s)
		}
		if n := log.count("RLIMIT_NOFILE"); n != 1 {
			t.Errorf("the shortage was logged %d times", n)
		}
		cs[0].kill()
		cs[0].expect("killed by SIGKILL")
		killPID(t, cs[1].PID(), unix.SIGTERM)
		cs[1].expect("killed by SIGTERM")
	})
	t.Run("and offered to the back end again", func(t *testing.T) {
		free()
		eventually(t, "the process to have a pidfd", func() bool { return r.Stats().Polled == 0 })
		cs[2].kill()
		cs[2].expect("killed by SIGKILL")
	})
}

// openDescriptors counts this program's.
func openDescriptors(t testing.TB) int {
	t.Helper()
	names, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

func TestDescriptors(t *testing.T) {
	if !alone(t) { // what other tests have left to the garbage collector
		return
	}
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		closed, err := reactor.New(reactor.Config{Backend: r.Stats().Backend})
		if err != nil {
			t.Fatal(err)
		}
		if err := closed.Close(); err != nil {
			t.Fatal(err)
		}
		deliver := func(reactor.Exit) {}
		before := openDescriptors(t)
		t.Run("GO-5 failed watches leak no pidfds", func(t *testing.T) {
			p := start(t, tool(t, "sleep", "1000"))
			defer endProcess(t, p)
			for range 20 {
				_, err1 := closed.Watch(p, deliver)
				_, err2 := r.Watch(p, deliver, reactor.WithGroup())
				_, err3 := r.Watch(p, nil)
				_, err4 := closed.WatchPID(p.Pid, deliver)
				if err1 == nil || err2 == nil || err3 == nil || err4 == nil {
					t.Fatal("a watch that must fail did not")
				}
			}
		})
		t.Run("of watches that are over are closed", func(t *testing.T) {
			for range 20 {
				p := start(t, tool(t, "true"))
				c := watchProcess(t, r, p)
				if err := p.Release(); err != nil {
					t.Fatal(err)
				}
				c.exit()
			}
		})
		if after := openDescriptors(t); after != before {
			t.Errorf("%d descriptors before, %d after", before, after)
		}
	})
}

func TestReleasedByItsOwner(t *testing.T) {
	overBackends(t, func(t *testing.T, r *reactor.Reactor) {
		p := start(t, tool(t, "sleep", "1000"))
		pid := p.Pid
		c := watchProcess(t, r, p)
		if p.Pid != pid {
			t.Errorf("after Watch the caller's pid is %d", p.Pid)
		}
		if err := p.Release(); err != nil {
			t.Fatal(err)
		}
		if c.PID() != pid {
			t.Errorf("after Release the watch's pid is %d", c.PID())
		}
		if _, err := r.Watch(p, func(reactor.Exit) {}); !errors.Is(err, reactor.ErrInvalidPID) {
			t.Errorf("Watch of a released process: %v", err)
		}
		c.kill()
		c.expect("killed by SIGKILL")
	})
}
