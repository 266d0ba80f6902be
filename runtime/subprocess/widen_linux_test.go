package subprocess_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/runtime/subprocess"
)

func init() { helpers["pipes"] = pipes }

// pipes reads and writes as many bytes as its environment says, and tells how much the
// pipes of its standard streams hold then.
func pipes() {
	n, err := strconv.ParseInt(os.Getenv("BYTES"), 10, 64)
	if err == nil {
		_, err = io.CopyN(os.Stdout, os.Stdin, n)
	}
	if err != nil {
		fail("%v", err)
	}
	in, err := unix.FcntlInt(0, unix.F_GETPIPE_SZ, 0)
	if err != nil {
		fail("%v", err)
	}
	out, err := unix.FcntlInt(1, unix.F_GETPIPE_SZ, 0)
	if err != nil {
		fail("%v", err)
	}
	fmt.Fprint(os.Stderr, in, " ", out)
}

// What carries much gets wider pipes, as far as the system gives them, and what
// carries little does not.
func TestWidePipes(t *testing.T) {
	for _, c := range []struct {
		bytes int
		wide  bool
	}{{1 << 20, false}, {16 << 20, true}} {
		cmd := subprocess.Command(os.Args[0])
		cmd.AddEnv = []string{helperKey + "=pipes", fmt.Sprint("BYTES=", c.bytes)}
		cmd.Stdin = subprocess.Bytes(make([]byte, c.bytes))
		cmd.Check = true
		r, err := subprocess.Run(context.Background(), cmd)
		if err != nil || len(r.Stdout) != c.bytes {
			t.Fatalf("%d bytes, %v", len(r.Stdout), err)
		}
		var in, out int
		if _, err := fmt.Sscan(string(r.Stderr), &in, &out); err != nil {
			t.Fatalf("%q: %v", r.Stderr, err)
		}
		if got := max(in, out) > 64<<10; got != c.wide && !(c.wide && !widePipes(t)) {
			t.Errorf("of %d bytes: the pipes hold %d and %d", c.bytes, in, out)
		}
	}
}

// widePipes reports whether this user's share of the kernel's memory allows a wide pipe.
func widePipes(t *testing.T) bool {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	_, err = unix.FcntlInt(r.Fd(), unix.F_SETPIPE_SZ, 256<<10)
	return err == nil
}
