package reactor_test

import (
	"bufio"
	"errors"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// crowd is a number of children that all end, with code 0, when its lifeline is
// cut; so also when this program does.
type crowd struct {
	children []*os.Process
	stdin    *os.File // what they read
	lifeline *os.File // its other end
}

func newCrowd(t testing.TB, n int) *crowd {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { read.Close(); write.Close() })
	c := &crowd{stdin: read, lifeline: write}
	cmd := tool(t, "cat")
	cmd.Stdin = read
	for range n {
		c.children = append(c.children, start(t, cmd))
	}
	return c
}

// newCrowdUpTo is newCrowd with fewer children, if the machine's limits on processes
// or descriptors allow no more.
func newCrowdUpTo(t testing.TB, n int) *crowd {
	t.Helper()
	c := newCrowd(t, 0)
	cmd := tool(t, "cat")
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	const others = 50 // descriptors
	for n = int(min(uint64(n), limit.Cur-min(others, limit.Cur))); len(c.children) < n; {
		p, err := os.StartProcess(cmd.Path, cmd.Args, &os.ProcAttr{Files: []*os.File{c.stdin, null, null}})
		if errors.Is(err, unix.EAGAIN) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		c.children = append(c.children, p)
	}
	return c
}

// release closes the descriptors that package os has of the children.
func (c *crowd) release(t testing.TB) {
	t.Helper()
	for _, p := range c.children {
		if err := p.Release(); err != nil {
			t.Fatal(err)
		}
	}
}

// threads counts the threads of this program.
func threads(t testing.TB) int {
	t.Helper()
	return statusOf(t, "Threads:")
}

// statusOf returns a number of /proc/self/status.
func statusOf(t testing.TB, field string) int {
	t.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), field); ok {
			n, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("/proc/self/status has no %s", field)
	return 0
}

// heap returns the bytes in use after a collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what had cleanups
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
