//go:build unix

package subprocess_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/runtime/subprocess"
)

// What changes the whole program runs in one of its own.
func init() {
	helpers["closed"] = closed
	helpers["sigchld"] = sigchld
	helpers["limit"] = limit
}

func help(t *testing.T, name string, env ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(env, helperKey+"="+name)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s %v: %v: %s", name, env, err, out)
	}
}

func fail(format string, a ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", a...)
	os.Exit(1)
}

// PY-SP-12: a program without some of its standard streams runs commands with theirs.
func TestClosedStreams(t *testing.T) {
	for set := range 8 {
		which := ""
		for fd := range 3 {
			if set&(1<<fd) != 0 {
				which += fmt.Sprint(fd)
			}
		}
		help(t, "closed", "CLOSED="+which)
	}
}

func closed() {
	for fd := range 3 {
		if strings.Contains(os.Getenv("CLOSED"), fmt.Sprint(fd)) {
			_ = syscall.Close(fd)
		}
	}
	cmd := subprocess.Shell("cat; echo err >&2")
	cmd.Stdin = subprocess.Bytes([]byte("in"))
	r, err := subprocess.Run(context.Background(), cmd)
	if err != nil || string(r.Stdout) != "in" || string(r.Stderr) != "err\n" {
		fail("%q, %q, %v", r.Stdout, r.Stderr, err)
	}
	inherits := subprocess.Shell("exit 7") // what it inherits is as closed as here
	inherits.Stdin, inherits.Stdout, inherits.Stderr = subprocess.Inherit, subprocess.Inherit, subprocess.Inherit
	if r, err = subprocess.Run(context.Background(), inherits); err != nil || r.Exit.Code != 7 {
		fail("inherited: %v, %v", r.Exit, err)
	}
}

// PY-SP-15: with SIGCHLD ignored a wait returns, and a lost status is no success.
func TestIgnoredSIGCHLD(t *testing.T) { help(t, "sigchld") }

func sigchld() {
	signal.Ignore(syscall.SIGCHLD)
	for range 10 {
		r, err := subprocess.Run(context.Background(), subprocess.Shell("exit 3"))
		if err != nil || r.Success() {
			fail("%v, %v", r.Exit, err)
		}
	}
}

// PY-SP-5: near the limit of descriptors commands run, and above it their starts fail
// and leave nothing.
func TestDescriptorLimit(t *testing.T) { help(t, "limit") }

func limit() {
	ctx := context.Background()
	warm, err := subprocess.Start(ctx, subprocess.Command("sleep", "1000")) // keeps the host
	if err != nil {
		fail("%v", err)
	}
	defer warm.KillTree(0)
	var whole unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &whole); err != nil {
		fail("%v", err)
	}
	before, ran := descriptors(), 0
	for extra := range 30 {
		few := whole
		set(&few.Cur, highest()+extra)
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &few)
		for range 15 {
			_, err = subprocess.Run(ctx, subprocess.Command("/bin/true"))
			if err == nil {
				ran++
			} else if !errors.Is(err, syscall.EMFILE) || !strings.Contains(err.Error(), "ulimit -n") {
				fail("%d more: %v", extra, err)
			}
		}
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &whole)
		if now := descriptors(); now != before {
			fail("%d more: %d are open, and were %d", extra, now, before)
		}
	}
	if ran < 15 || err != nil {
		fail("%d ran, and then: %v", ran, err)
	}
}

// highest is above all open descriptors.
func highest() (top int) {
	for fd := range 1024 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			top = fd + 1
		}
	}
	return top
}

func descriptors() (n int) {
	for fd := range 1024 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			n++
		}
	}
	return n
}

// set sets a field whose type is another one on some systems.
func set[T int64 | uint64](field *T, value int) { *field = T(value) }
