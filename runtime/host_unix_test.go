//go:build unix

package runtime_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime"
)

func init() { helpers["shortage"] = shortage }

// patience bounds waits for what must happen soon.
const patience = 20 * time.Second

// receive returns what comes from c, or fails the test.
func receive[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing came within %v", patience)
		panic("unreachable")
	}
}

// owner counts what it is told.
type owner struct {
	started chan *actors.Process
	exited  atomic.Int32
}

func (o *owner) Started(p *actors.Process)  { o.started <- p }
func (o *owner) Ask(actors.Cause)           {}
func (o *owner) Spared()                    {}
func (o *owner) Exited(actors.Report) error { o.exited.Add(1); return nil }
func (o *owner) StartFailed(error)          {}

// Close ends the processes that live, their families included, and returns when
// they are gone and their owners know.
func TestCloseWithLiveProcesses(t *testing.T) {
	leaktest.Check(t)
	h, err := runtime.Start(runtime.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	alive, family, err := os.Pipe() // who holds family is alive
	if err != nil {
		t.Fatal(err)
	}
	defer alive.Close()
	const n = 5
	o := &owner{started: make(chan *actors.Process, n)}
	_, err = h.Actors().Supervise(actors.Supervision{
		Name:         "families",
		Workers:      n,
		DrainTimeout: -1,
		Prepare: func() (actors.Command, actors.Owner, error) {
			end, err := unix.FcntlInt(family.Fd(), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				return actors.Command{}, nil, err
			}
			stderr, err := unix.FcntlInt(os.Stderr.Fd(), unix.F_DUPFD_CLOEXEC, 0) // the spawner closes it
			return actors.Command{
				Path:  "/bin/sh",
				Args:  []string{"sh", "-c", `trap "" TERM INT HUP; sleep 1000 & while :; do sleep 1000; done`},
				Files: []*os.File{nil, os.NewFile(uintptr(end), "family"), os.NewFile(uintptr(stderr), "stderr")},
			}, o, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		receive(t, o.started).Ready()
	}
	family.Close()
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if got := o.exited.Load(); got != n {
		t.Errorf("%d of %d owners know of the end", got, n)
	}
	gone := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, alive)
		gone <- err
	}()
	if err := receive(t, gone); err != nil {
		t.Error(err)
	}
}

// A host that finds no descriptors says so, or does without, and leaves nothing
// behind.
func TestHostWithoutDescriptors(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperKey+"=shortage")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "done") {
		t.Errorf("%v: %s", err, out)
	}
}

// shortage starts hosts under a limit that is higher by one each time. It runs in
// a process of its own, since the limit holds for all of it.
func shortage() {
	r, w, err := os.Pipe() // Go's poller is open from here on
	if err != nil {
		panic(err)
	}
	defer r.Close()
	defer w.Close()
	var whole unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &whole); err != nil {
		panic(err)
	}
	used := descriptors()
	for limit := 3; limit < 40; limit++ {
		few := whole
		set(&few.Cur, limit)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
			panic(err)
		}
		h, err := runtime.Start(runtime.Config{Logger: slog.New(slog.DiscardHandler)})
		if err == nil {
			err = errors.Join(use(h), h.Close())
		} else if start := (*runtime.StartError)(nil); errors.As(err, &start) && errors.Is(err, syscall.EMFILE) {
			err = nil
		}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &whole); err != nil {
			panic(err)
		}
		if now := descriptors(); err != nil || now != used {
			fmt.Printf("limit %d: %d are open, %d before; %v\n", limit, now, used, err)
			os.Exit(1)
		}
	}
	fmt.Println("done")
}

// set sets a field whose type is another one on some systems.
func set[T int64 | uint64](field *T, value int) { *field = T(value) }

// descriptors counts those that are open, without opening one.
func descriptors() (n int) {
	for fd := range 1024 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n
}
