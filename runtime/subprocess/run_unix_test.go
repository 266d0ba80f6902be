//go:build unix

package subprocess_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime/subprocess"
)

// patience bounds waits for what must happen soon.
const patience = 20 * time.Second

func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// run runs a command that is to succeed.
func run(t testing.TB, cmd subprocess.Cmd) subprocess.Result {
	t.Helper()
	r, err := subprocess.Run(soon(t), cmd)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRun(t *testing.T) {
	r := run(t, subprocess.Shell("echo out; echo err >&2; exit 3"))
	if r.Exit.Kind != reactor.Exited || r.Exit.Code != 3 || r.Success() || !r.Complete {
		t.Errorf("%v, complete %t", r.Exit, r.Complete)
	}
	if string(r.Stdout) != "out\n" || string(r.Stderr) != "err\n" {
		t.Errorf("%q, %q", r.Stdout, r.Stderr)
	}
	if r.PID <= 1 || r.Duration() <= 0 || r.Exit.Usage == nil || r.Args[0] != "/bin/sh" {
		t.Errorf("%+v", r)
	}
}

// PY-P-9: exit codes come through exactly.
func TestExitCodes(t *testing.T) {
	for _, code := range []string{"0", "1", "8", "255"} {
		r := run(t, subprocess.Shell("exit $1", code))
		if got := r.Exit.String(); got != "exited with code "+code {
			t.Error(got)
		}
	}
}

func TestStreams(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	content := func() string {
		b, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var written bytes.Buffer
	var lines []string
	cat := subprocess.Command("cat")
	for _, c := range []struct {
		name string
		cmd  func(*subprocess.Cmd)
		want string
		got  func(subprocess.Result) string
	}{
		{"null is empty", func(*subprocess.Cmd) {}, "", func(r subprocess.Result) string { return string(r.Stdout) }},
		{"bytes", func(c *subprocess.Cmd) { c.Stdin = subprocess.Bytes([]byte("b")) }, "b", func(r subprocess.Result) string { return string(r.Stdout) }},
		{"reader", func(c *subprocess.Cmd) { c.Stdin = subprocess.Reader(strings.NewReader("r")) }, "r", func(r subprocess.Result) string { return string(r.Stdout) }},
		{"writer", func(c *subprocess.Cmd) {
			c.Stdin, c.Stdout = subprocess.Bytes([]byte("w")), subprocess.Writer(&written)
		}, "w", func(subprocess.Result) string { return written.String() }},
		{"file", func(c *subprocess.Cmd) {
			c.Stdin, c.Stdout = subprocess.Bytes([]byte("f")), subprocess.File(file)
		}, "f", func(subprocess.Result) string { return content() }},
		{"lines", func(c *subprocess.Cmd) {
			c.Stdin = subprocess.Bytes([]byte("a\r\n\nbc"))
			c.Stdout = subprocess.Lines(func(line []byte) { lines = append(lines, string(line)) })
		}, "a||bc", func(subprocess.Result) string { return strings.Join(lines, "|") }},
		{"stderr into stdout", func(c *subprocess.Cmd) {
			*c = subprocess.Shell("echo 1; echo 2 >&2; echo 3")
			c.Stderr = subprocess.ToStdout
		}, "1\n2\n3\n", func(r subprocess.Result) string { return string(r.Stdout) }},
		{"null", func(c *subprocess.Cmd) {
			c.Stdin, c.Stdout, c.Stderr = subprocess.Bytes([]byte("n")), subprocess.Null, subprocess.ToStdout
		}, "", func(r subprocess.Result) string { return string(r.Stdout) + string(r.Stderr) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := cat
			c.cmd(&cmd)
			if got := c.got(run(t, cmd)); got != c.want {
				t.Errorf("%q, not %q", got, c.want)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("STINT_TEST_A", "parent")
	show := subprocess.Shell(`echo "${STINT_TEST_A-none} ${STINT_TEST_B-none}"`)
	for _, c := range []struct {
		env, add []string
		want     string
	}{
		{nil, nil, "parent none"},
		{[]string{}, nil, "none none"},
		{[]string{"STINT_TEST_B=1"}, nil, "none 1"},
		{nil, []string{"STINT_TEST_A=x", "STINT_TEST_B=y"}, "x y"},
		{[]string{"STINT_TEST_A=1"}, []string{"STINT_TEST_A=2"}, "2 none"},
	} {
		cmd := show
		cmd.Env, cmd.AddEnv = c.env, c.add
		if got := strings.TrimSpace(string(run(t, cmd).Stdout)); got != c.want {
			t.Errorf("%q + %q: %q, not %q", c.env, c.add, got, c.want)
		}
	}
}

// SEC-12: arguments reach the program as they are.
func TestNothingIsInterpreted(t *testing.T) {
	hostile := []string{"a b", `"'`, "$(id)", "x\ny", "-n", "*", ""}
	want := strings.Join(hostile, "\x00") + "\x00"
	if r := run(t, subprocess.Command("printf", append([]string{`%s\0`}, hostile...)...)); string(r.Stdout) != want {
		t.Errorf("%q", r.Stdout)
	}
	if r := run(t, subprocess.Shell(`printf '%s\0' "$@"`, hostile...)); string(r.Stdout) != want {
		t.Errorf("%q", r.Stdout)
	}
}

// PY-SP-14: files that are passed arrive, closed ones do not.
func TestExtraFiles(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	cmd := subprocess.Shell(`echo hello >&4; for fd in 3 5 6 7 8 9; do (eval ": >&$fd") 2>&- && echo $fd; done; true`)
	cmd.ExtraFiles = []*os.File{nil, w}
	if out := run(t, cmd).Stdout; len(out) > 0 {
		t.Errorf("besides: %q", out)
	}
	b := make([]byte, 10)
	n, err := r.Read(b)
	if err != nil || string(b[:n]) != "hello\n" {
		t.Errorf("%q, %v", b[:n], err)
	}
}

func TestCheck(t *testing.T) {
	for script, want := range map[string]string{
		"echo first >&2; echo 'no such thing' >&2; exit 3": "exited with code 3: no such thing",
		"kill -TERM $$": "killed by SIGTERM",
	} {
		for _, stderr := range []subprocess.Output{subprocess.Capture, subprocess.Writer(io.Discard)} {
			cmd := subprocess.Shell(script)
			cmd.Check, cmd.Stderr = true, stderr
			_, err := subprocess.Run(soon(t), cmd)
			var exit *subprocess.ExitError
			if !errors.As(err, &exit) || !strings.HasSuffix(err.Error(), want) || exit.PID <= 1 {
				t.Errorf("%s: %v", script, err)
			}
		}
	}
	cmd := subprocess.Command("true")
	cmd.Check = true
	run(t, cmd)
}

// timedOut runs a command that writes something and then runs into its timeout, which is at least the given one and long enough for what it writes.
func timedOut(t *testing.T, cmd subprocess.Cmd, timeout time.Duration) (subprocess.Result, *subprocess.TimeoutError) {
	t.Helper()
	for cmd.Timeout = timeout; ; cmd.Timeout *= 2 {
		r, err := subprocess.Run(soon(t), cmd)
		var timeout *subprocess.TimeoutError
		if !errors.As(err, &timeout) || !errors.Is(err, context.DeadlineExceeded) || timeout.Limit != cmd.Timeout {
			t.Fatal(err)
		}
		if len(r.Stdout) > 0 || cmd.Timeout > patience {
			return r, timeout
		}
	}
}

// PY-SP-8 and PY-SP-9: a timeout kills, and tells the output until then.
func TestTimeout(t *testing.T) {
	r, timeout := timedOut(t, subprocess.Shell("echo partial; sleep 1000"), 100*time.Millisecond)
	if string(timeout.Result.Stdout) != "partial\n" || string(r.Stdout) != "partial\n" {
		t.Errorf("%v: %+v", timeout, timeout.Result)
	}
	if r.Exit.Signal != syscall.SIGTERM {
		t.Error(r.Exit)
	}
}

// The grace is for those who use it, and ends for those who do not.
func TestGrace(t *testing.T) {
	for script, want := range map[string]string{
		`trap "echo cleaned; exit 5" TERM; echo up; while :; do sleep 0.01; done`: "exited with code 5",
		`trap "" TERM; echo up; while :; do sleep 0.01; done`:                     "killed by SIGKILL",
	} {
		cmd := subprocess.Shell(script)
		ctx, cancel := context.WithCancelCause(soon(t))
		enough := errors.New("enough")
		cmd.Stdout = subprocess.Lines(func(line []byte) {
			if string(line) == "up" {
				cancel(enough)
			}
		})
		if strings.HasSuffix(want, "5") {
			cmd.Grace = patience
		}
		r, err := subprocess.Run(ctx, cmd)
		var canceled *subprocess.CanceledError
		if !errors.As(err, &canceled) || !errors.Is(err, enough) || !errors.Is(err, context.Canceled) || r.Exit.String() != want {
			t.Errorf("%s: %v: %v", script, r.Exit, err)
		}
	}
}

// PY-SP-10: a grandchild that holds the pipe delays the error of a timeout of 0.1 s by
// less than 1.4 s, whether it is in the group, has left it, or cannot be found any more. A
// busy machine is late now and then; who waits for the grandchild is late each time.
func TestTimeoutWithGrandchild(t *testing.T) {
	for name, script := range map[string]string{
		"in the group":   "sleep 1000 & wait",
		"out of it":      "setsid sleep 1000 & wait",
		"of a daemon":    "(setsid sh -c 'echo $$; exec sleep 1000' &); sleep 1000",
		"without a wait": "sleep 1000",
	} {
		t.Run(name, func(t *testing.T) {
			var took time.Duration
			for range 3 {
				r, timeout := timedOut(t, subprocess.Shell("echo partial; "+script), 100*time.Millisecond)
				took = time.Since(r.Started) - timeout.Limit
				out, daemon, _ := strings.Cut(string(r.Stdout), "\n")
				if pid, err := strconv.Atoi(strings.TrimSpace(daemon)); err == nil {
					_ = syscall.Kill(pid, syscall.SIGKILL) // it is nobody else's to end
				}
				if out != "partial" {
					t.Errorf("%q", r.Stdout)
				}
				if took <= 1400*time.Millisecond {
					return
				}
			}
			t.Errorf("told %v late", took)
		})
	}
}

// PY-SP-11: what cannot be started is named.
func TestStartErrors(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(dir, "here")
	if err := os.WriteFile(here, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	orphan := filepath.Join(dir, "orphan")
	if err := os.WriteFile(orphan, []byte("#!/no/such/interpreter\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	closed, err := os.Open(plain)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	echo := subprocess.Command("echo")
	fromClosed, toClosed, extraClosed := echo, echo, echo
	fromClosed.Stdin, toClosed.Stdout, extraClosed.ExtraFiles = subprocess.File(closed), subprocess.Writer(closed), []*os.File{closed}
	t.Chdir(dir)
	t.Setenv("PATH", "."+string(filepath.ListSeparator)+os.Getenv("PATH"))
	for _, c := range []struct {
		name   string
		cmd    subprocess.Cmd
		is     error
		naming string
	}{
		{"a program that is not in PATH", subprocess.Command("no-such-program"), fs.ErrNotExist, "no-such-program"},
		{"a path of no program", subprocess.Command("/no/such/program"), fs.ErrNotExist, "/no/such/program"},
		{"a directory that is none", subprocess.Cmd{Args: []string{"true"}, Dir: "/no/such/dir"}, fs.ErrNotExist, "/no/such/dir"},
		{"a directory that is a file", subprocess.Cmd{Args: []string{"true"}, Dir: plain}, syscall.ENOTDIR, plain},
		{"a script without its interpreter", subprocess.Command(orphan), fs.ErrNotExist, "#!"},
		{"a closed input", fromClosed, os.ErrClosed, plain},
		{"a closed output", toClosed, os.ErrClosed, plain},
		{"a closed file", extraClosed, os.ErrClosed, plain},
		{"a file that is no program", subprocess.Command(plain), fs.ErrPermission, plain},
		{"a program in the current directory", subprocess.Command("here"), exec.ErrDot, "here"},
		{"too many arguments", subprocess.Command("true", strings.Split(strings.Repeat(strings.Repeat("x", 1<<16)+" ", 100), " ")...), syscall.E2BIG, "argument list too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := subprocess.Run(soon(t), c.cmd)
			var start *subprocess.StartError
			if !errors.As(err, &start) || !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.naming) || errors.Is(err, syscall.EMFILE) {
				t.Error(err)
			}
		})
	}
}

func TestConfigErrors(t *testing.T) {
	for field, cmd := range map[string]subprocess.Cmd{
		"Args":        {},
		"Args[1]":     subprocess.Command("echo", "a\x00b"),
		"Env[0]":      {Args: []string{"true"}, Env: []string{"A=\x00"}},
		"AddEnv[0]":   {Args: []string{"true"}, AddEnv: []string{"A=\x00"}},
		"Dir":         {Args: []string{"true"}, Dir: "\x00"},
		"Timeout":     {Args: []string{"true"}, Timeout: -1},
		"OutputLimit": {Args: []string{"true"}, OutputLimit: -1},
		"OutputDelay": {Args: []string{"true"}, OutputDelay: -1},
		"Stdout":      {Args: []string{"true"}, Stdout: subprocess.ToStdout},
		"Stdin":       {Args: []string{"true"}, Stdin: subprocess.Pipe},
		"Stdin ":      {Args: []string{"true"}, Stdin: subprocess.Reader(nil)},
		"Stdout ":     {Args: []string{"true"}, Stdout: subprocess.Writer(nil)},
		"Stderr":      {Args: []string{"true"}, Stderr: subprocess.Lines(nil)},
	} {
		_, err := subprocess.Run(soon(t), cmd)
		var config *subprocess.ConfigError
		if !errors.As(err, &config) || config.Field != strings.TrimSpace(field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// The longest of times are no short ones.
func TestLongTimes(t *testing.T) {
	cmd := subprocess.Command("true")
	cmd.Timeout, cmd.OutputDelay = math.MaxInt64, math.MaxInt64
	run(t, cmd)
	cmd = subprocess.Shell("trap 'exit 3' TERM; echo up; while :; do sleep 0.01; done")
	cmd.Grace = math.MaxInt64
	ctx, cancel := context.WithCancel(soon(t))
	cmd.Stdout = subprocess.Lines(func([]byte) { cancel() })
	if r, err := subprocess.Run(ctx, cmd); !errors.Is(err, context.Canceled) || r.Exit.Code != 3 {
		t.Errorf("%v, %v", r.Exit, err)
	}
}

// AIO-2: a start whose context has ended, or ends, leaves no process.
func TestCanceledStart(t *testing.T) {
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		p, err := subprocess.Start(ctx, subprocess.Command("sleep", "1000"))
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if p != nil { // it was quicker
			p.KillTree(0)
		}
	}
}

// Output without end is kept in its limit, and that is told.
func TestOutputLimit(t *testing.T) {
	cmd := subprocess.Shell("printf 0123456789; head -c 10000000 /dev/zero; printf abcdefghij")
	cmd.OutputLimit = 8
	r, err := subprocess.Run(soon(t), cmd)
	var stream *subprocess.StreamError
	if !errors.As(err, &stream) || !errors.Is(err, subprocess.ErrTruncated) {
		t.Fatal(err)
	}
	if string(r.Stdout) != "0123ghij" || r.Complete || stream.Dropped != 10_000_012 || stream.At != 4 || stream.Stream != "stdout" {
		t.Errorf("%q, %+v", r.Stdout, stream)
	}
}

// GO-1: an exit is told although a descendant holds the pipe, and that the output is
// incomplete.
func TestHeldPipe(t *testing.T) {
	cmd := subprocess.Shell(`setsid sh -c 'echo late; : >"$0"; exec sleep 2' "$1" &
		until [ -e "$1" ]; do sleep 0.01; done; echo done`, t.TempDir()+"/escaped") // from the group, with whose end it would end
	r, err := subprocess.Run(soon(t), cmd)
	var stream *subprocess.StreamError
	if !errors.As(err, &stream) || !errors.Is(err, subprocess.ErrIncomplete) {
		t.Fatal(err)
	}
	if !r.Success() || r.Complete || !strings.Contains(string(r.Stdout), "done\n") {
		t.Errorf("%v, %q", r.Exit, r.Stdout)
	}
}

// GO-3: what the command did itself counts more than a context that ends with it.
func TestPrecedence(t *testing.T) {
	fail := errors.New("writer")
	cmd := subprocess.Shell("echo x; exit 3")
	cmd.Stdout, cmd.Check = subprocess.Writer(failing{fail}), true
	ctx, cancel := context.WithCancel(soon(t))
	r, err := subprocess.Run(ctx, cmd)
	cancel()
	var exit *subprocess.ExitError
	if !errors.As(err, &exit) || r.Exit.Code != 3 && r.Exit.Signal != syscall.SIGPIPE {
		t.Errorf("%v, %v", r.Exit, err)
	}
	cmd.Check = false
	if _, err := subprocess.Run(soon(t), cmd); !errors.Is(err, fail) {
		t.Error(err)
	}
	_, err = subprocess.Run(ctx, cmd)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
func (f failing) Read([]byte) (int, error)  { return 0, f.err }

// A Reader that fails is told of; one that never comes keeps nobody.
func TestReaders(t *testing.T) {
	fail := errors.New("reader")
	cmd := subprocess.Command("cat")
	cmd.Stdin = subprocess.Reader(failing{fail})
	var stream *subprocess.StreamError
	if _, err := subprocess.Run(soon(t), cmd); !errors.Is(err, fail) || !errors.As(err, &stream) || stream.Stream != "stdin" {
		t.Error(err)
	}
	never, end := io.Pipe()
	defer end.Close()
	cmd = subprocess.Command("true")
	cmd.Stdin = subprocess.Reader(never)
	cmd.OutputDelay = time.Millisecond
	if r := run(t, cmd); !r.Success() {
		t.Error(r.Exit)
	}
}

// PY-SP-3: what a command does not read is no error.
func TestUnreadInput(t *testing.T) {
	cmd := subprocess.Command("true")
	cmd.Stdin = subprocess.Bytes(make([]byte, 1<<20))
	run(t, cmd)
}

// PY-SP-2: both directions beyond what pipes hold.
func TestBothWays(t *testing.T) {
	input := bytes.Repeat([]byte("0123456789abcdef"), 64<<20/16)
	cmd := subprocess.Command("cat")
	cmd.Stdin = subprocess.Bytes(input)
	if r := run(t, cmd); !bytes.Equal(r.Stdout, input) {
		t.Errorf("%d bytes came back", len(r.Stdout))
	}
}
