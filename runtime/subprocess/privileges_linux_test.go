package subprocess_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/subprocess"
)

// with returns a shell command that does without privileges.
func with(p subprocess.Privileges, script string, args ...string) subprocess.Cmd {
	cmd := subprocess.Shell(script, args...)
	cmd.Privileges = p
	return cmd
}

// privileged runs a command that does without privileges, unless this machine
// cannot have any do without them.
func privileged(t *testing.T, cmd subprocess.Cmd) subprocess.Result {
	t.Helper()
	r, err := subprocess.Run(soon(t), cmd)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EPERM) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// SEC-14: the groups of this program are gone before its user is.
func TestUser(t *testing.T) {
	r := privileged(t, with(subprocess.Privileges{User: &subprocess.User{UID: 12345, GID: 12346, Groups: []int{12347, 12348}}},
		"id -u; id -g; grep ^Groups: /proc/self/status; cat /etc/shadow >/dev/null 2>&1 && echo reads; kill -0 $PPID 2>/dev/null && echo signals"))
	if got := strings.Join(strings.Fields(string(r.Stdout)), " "); got != "12345 12346 Groups: 12347 12348" {
		t.Errorf("%s: %s", got, r.Stderr)
	}
	r = privileged(t, with(subprocess.Privileges{User: &subprocess.User{UID: 12345, GID: 12346}}, "grep ^Groups: /proc/self/status"))
	if got := strings.TrimSpace(string(r.Stdout)); got != "Groups:" {
		t.Error(got)
	}
	cmd := with(subprocess.Privileges{User: &subprocess.User{UID: 12345, GID: 12346}}, "trap '' TERM; sleep 1000")
	cmd.Timeout = 100 * time.Millisecond
	var timeout *subprocess.TimeoutError
	if _, err := subprocess.Run(soon(t), cmd); !errors.As(err, &timeout) {
		t.Error(err)
	}
}

// SEC-14: no program gives them back.
func TestNoNewPrivileges(t *testing.T) {
	script := "grep ^NoNewPrivs: /proc/self/status"
	for want, p := range map[string]subprocess.Privileges{"0": {}, "1": {NoNew: true}} {
		r := privileged(t, with(p, script))
		if got := strings.Fields(string(r.Stdout)); len(got) != 2 || got[1] != want {
			t.Errorf("%+v: %s", p, r.Stdout)
		}
	}
	if status, err := os.ReadFile("/proc/self/status"); err != nil || !strings.Contains(string(status), "NoNewPrivs:\t0") {
		t.Errorf("this program has lost its own: %v", err)
	}
}

// SEC-14: what is not listed cannot be opened, by the command and by what it starts.
func TestPaths(t *testing.T) {
	read, write, other := t.TempDir(), t.TempDir(), t.TempDir()
	for _, dir := range []string{read, write, other} {
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte("text\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var system []string
	for _, path := range []string{"/bin", "/usr", "/lib", "/lib64", "/etc", "/dev/null"} {
		if _, err := os.Stat(path); err == nil {
			system = append(system, path)
		}
	}
	paths := &subprocess.Paths{Read: append(system, read), Write: []string{write, "/dev/null"}}
	script := `try() { /bin/sh -c "$2" 2>/dev/null && echo "$1"; }
		try read "cat $1/file"
		try write-read "echo >>$1/file"
		try make-read "mkdir $1/dir"
		try write "cat $2/file; echo >>$2/file; mkdir $2/dir; mv $2/file $2/dir/other; rm $2/dir/other; rmdir $2/dir"
		try other "cat $3/file"
		try list-other "ls $3"
		try truncate-other "truncate -s 0 $3/file"
		try list-proc "ls /proc/self/fd"`
	r := privileged(t, with(subprocess.Privileges{Paths: paths}, script, read, write, other))
	if got := strings.Join(strings.Fields(string(r.Stdout)), " "); got != "text read text write" {
		t.Errorf("%s: %s", got, r.Stderr)
	}
	if r := run(t, subprocess.Shell("cat $1/file", other)); string(r.Stdout) != "text\n" {
		t.Errorf("another command is bound: %q, %s", r.Stdout, r.Stderr)
	}
}

// It is the command itself that gives privileges up: no thread of this program does,
// and no descriptor gets through, be it one of the rules'.
func TestOnlyTheCommandGivesUp(t *testing.T) {
	foreign, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0) // not CLOEXEC
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(foreign)
	for i := range 4 {
		path := filepath.Join(t.TempDir(), fmt.Sprint(i))
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := with(subprocess.Privileges{Paths: &subprocess.Paths{Read: []string{"/"}, Write: []string{path, "/dev/null"}}},
			`ls /proc/self/fd | tr '\n' ' '; echo text >"$1"; cat "$1"; echo >"$2" || echo bound`, path, os.Args[0])
		if r := privileged(t, cmd); string(r.Stdout) != "0 1 2 3 text\nbound\n" { // 3 is ls's own
			t.Errorf("%q, %s", r.Stdout, r.Stderr)
		}
	}
	if n := boundThreads(t); n != 0 {
		t.Errorf("%d threads of this program have given up privileges", n)
	}
}

// boundThreads returns how many threads of this program have given up privileges.
func boundThreads(t *testing.T) (n int) {
	t.Helper()
	all, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		status, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(status), "NoNewPrivs:\t1") {
			n++
		}
	}
	return n
}

func TestPrivilegeErrors(t *testing.T) {
	for field, p := range map[string]subprocess.Privileges{
		"Privileges.User":  {User: &subprocess.User{UID: -1}},
		"Privileges.Paths": {Paths: &subprocess.Paths{Read: []string{""}}},
	} {
		var config *subprocess.ConfigError
		if _, err := subprocess.Run(soon(t), with(p, "true")); !errors.As(err, &config) || config.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	var privilege *subprocess.PrivilegeError
	missing := subprocess.Privileges{Paths: &subprocess.Paths{Read: []string{"/"}, Write: []string{"/tmp", "/no/such/path"}}}
	_, err := subprocess.Run(soon(t), with(missing, "true"))
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if !errors.As(err, &privilege) || privilege.Field != "Paths.Write[1]" || !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if os.Getuid() != 0 {
		_, err := subprocess.Run(soon(t), with(subprocess.Privileges{User: &subprocess.User{UID: 12345}}, "true"))
		if !errors.As(err, &privilege) || privilege.Field != "User" || !errors.Is(err, syscall.EPERM) {
			t.Error(err)
		}
	}
}
