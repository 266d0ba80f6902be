//go:build unix

package worker_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime/worker"
)

func init() { helpers["shortage"] = shortage }

// A link may be closed at any moment: nothing of it is left.
func TestCloseAtAnyMoment(t *testing.T) {
	moments := map[string]func(t *testing.T){
		"before Start, with no worker": func(t *testing.T) { open(t, config{}).end() },
		"in the handshake":             func(t *testing.T) { launch(t, config{}).end() },
		"when it is ready":             func(t *testing.T) { serving(t).end() },
		"while tasks run": func(t *testing.T) {
			h := serving(t)
			for range worker.Slots {
				h.offer("wait", "")
			}
			h.awaitBegun(1)
			h.end()
		},
		"while it writes a large argument": func(t *testing.T) {
			h := serving(t)
			h.awaitBegun(h.offer("wait", ""))
			if err := h.process.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			for range 20 {
				h.offer("echo", strings.Repeat("x", 1<<19))
			}
			h.end()
		},
		"while large results come": func(t *testing.T) {
			h := serving(t)
			for range 50 {
				h.offer("zeros", fmt.Sprint(1<<19))
			}
			receive(t, h.results)
			h.end()
		},
		"after the worker's death": func(t *testing.T) {
			h := serving(t)
			h.offer("exit", "1")
			if err := h.awaitClosed(); err != nil {
				t.Error(err)
			}
			h.exit()
			h.end()
		},
		"by many": func(t *testing.T) {
			h := serving(t)
			h.offer("wait", "")
			var all sync.WaitGroup
			for range 10 {
				all.Go(h.link.Close)
			}
			all.Wait()
			h.end()
		},
	}
	for name, moment := range moments {
		t.Run(name, func(t *testing.T) {
			leaktest.Check(t)
			moment(t)
		})
	}
	t.Run("whenever", func(t *testing.T) {
		leaktest.Check(t)
		for range 60 {
			h := launch(t, config{})
			for range 10 {
				h.offer("echo", "x")
			}
			time.Sleep(rand.N(20 * time.Millisecond)) // any moment will do: this synchronises nothing
			h.end()
		}
	})
}

// A limit that no frame can have is refused before anything is opened.
func TestOpenRefuses(t *testing.T) {
	leaktest.Check(t)
	for _, limit := range []int{0, -1, 1 << 32} {
		if _, files, err := worker.Open(worker.LinkConfig{Worker: 7, Limit: limit, Receiver: newWatcher()}); err == nil || files != nil {
			t.Errorf("limit %d: %v, %v", limit, files, err)
		} else if !strings.Contains(err.Error(), fmt.Sprint(limit)) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

// Without descriptors Open says so, and leaves none behind, wherever in it they
// run out.
func TestDescriptorShortage(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperKey+"=shortage")
	var causes output
	cmd.Stderr = &causes
	out, err := cmd.Output()
	if err != nil || !bytes.HasPrefix(out, []byte("enough with ")) {
		t.Errorf("%v: %s", err, out)
	}
	for _, call := range []string{"open /dev/null", "pipe", "socketpair"} {
		if !strings.Contains(causes.String(), call) {
			t.Errorf("descriptors never ran out in %s", call)
		}
	}
	t.Logf("%s%s", causes.String(), out)
}

// shortage opens a link under a limit that is higher by one each time, from none
// to enough. It runs in a process of its own, since the limit holds for all of it.
func shortage() {
	r, w, err := os.Pipe() // Go's poller is open from here on
	if err != nil {
		panic(err)
	}
	defer r.Close()
	defer w.Close()
	var whole syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &whole); err != nil {
		panic(err)
	}
	used := descriptors()
	for limit := 3; ; limit++ {
		err := openWithLimit(whole, limit)
		if now := descriptors(); now != used {
			fmt.Printf("limit %d: %d are open, %d before; %v\n", limit, now, used, err)
			os.Exit(1)
		}
		if err == nil {
			fmt.Println("enough with", limit)
			return
		}
		if !errors.Is(err, syscall.EMFILE) || !strings.Contains(err.Error(), "channel to worker 7") {
			fmt.Printf("limit %d: %v\n", limit, err)
			os.Exit(1)
		}
		fmt.Fprintln(os.Stderr, err)
	}
}

func openWithLimit(whole syscall.Rlimit, limit int) error {
	few := whole
	set(&few.Cur, limit)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		panic(err)
	}
	link, files, err := worker.Open(worker.LinkConfig{Worker: 7, Limit: 1 << 20, Stdout: &output{}, Receiver: newWatcher()})
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &whole); err != nil {
		panic(err)
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		f.Close()
	}
	link.Close()
	link.Release()
	return nil
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
