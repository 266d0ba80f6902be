package reactor_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// conversation is a helper that runs beside the test and is talked with line by line.
type conversation struct {
	t     testing.TB
	cmd   *exec.Cmd
	ended sync.Once
	stdin io.WriteCloser
	lines *bufio.Reader
}

// converse starts cmd by os/exec. It is ended by the end of its stdin.
func converse(t testing.TB, cmd *exec.Cmd) *conversation {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &conversation{t: t, cmd: cmd, stdin: stdin, lines: bufio.NewReader(stdout)}
	t.Cleanup(c.end)
	return c
}

// hear returns the next line.
func (c *conversation) hear() string {
	c.t.Helper()
	line, err := c.lines.ReadString('\n')
	if err != nil {
		c.t.Fatalf("%v: %v", c.cmd.Args, err)
	}
	return strings.TrimSpace(line)
}

func (c *conversation) say(line string) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.stdin, line); err != nil {
		c.t.Fatal(err)
	}
}

// end closes the helper's stdin and waits until it is gone.
func (c *conversation) end() {
	c.t.Helper()
	c.ended.Do(func() {
		_ = c.stdin.Close()
		if err := c.cmd.Wait(); err != nil {
			c.t.Errorf("%v: %v", c.cmd.Args, err)
		}
	})
}
