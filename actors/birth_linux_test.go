//go:build linux && (amd64 || arm64)

package actors_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
)

// icy is a control group in which nothing moves, as what is executed from a file
// system that does not answer. SIGKILL ends it all the same.
type icy struct {
	t    *testing.T
	path string
	*fence
}

func newIcy(t *testing.T) *icy {
	t.Helper()
	for _, root := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		path, err := os.MkdirTemp(root, "stintest-") // not a name that hosts sweep
		if err != nil {
			continue
		}
		g := &icy{t, path, newFence()}
		t.Cleanup(func() { eventually(t, "the group is empty", func() bool { return os.Remove(path) == nil }) })
		if g.write("1") == nil {
			if g.group, err = os.Open(path); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { g.group.Close() })
			return g
		}
	}
	t.Skip("this machine has no control groups of version 2 that this user may make")
	return nil
}

func (g *icy) write(frozen string) error {
	return os.WriteFile(filepath.Join(g.path, "cgroup.freeze"), []byte(frozen), 0)
}

func (g *icy) thaw() {
	g.t.Helper()
	if err := g.write("0"); err != nil {
		g.t.Fatal(err)
	}
}

// occupied waits until a process is in it.
func (g *icy) occupied() {
	g.t.Helper()
	eventually(g.t, "a process is in the group", func() bool {
		members, err := os.ReadFile(filepath.Join(g.path, "cgroup.procs"))
		return err == nil && len(members) > 0
	})
}

// vacant waits until no process is in it.
func (g *icy) vacant() {
	g.t.Helper()
	eventually(g.t, "no process is in the group", func() bool {
		members, err := os.ReadFile(filepath.Join(g.path, "cgroup.procs"))
		return err == nil && len(members) == 0
	})
}

// A process that does not get as far as its program keeps no other one from starting.
func TestSlowExec(t *testing.T) {
	t.Run("starts when it can", func(t *testing.T) {
		g, w := newIcy(t), newWorker()
		s := fenced(t, g.fence, nil)
		single(t, s, w, enclosed(sleeper()))
		g.occupied()
		for range 3 {
			other := newWorker()
			single(t, s, other, sleeper())
			p := receive(t, other.started)
			p.Kill(actors.Ladder{}, deadline)
			receive(t, other.exited)
		}
		if len(w.started) > 0 {
			t.Error("it was told to have started")
		}
		g.thaw()
		p := receive(t, w.started)
		p.Kill(actors.Ladder{}, deadline)
		if r := receive(t, w.exited); r.Cause.Kind != actors.CauseDeadline {
			t.Error(r.Cause)
		}
		receive(t, g.over)()
	})
	t.Run("can be stopped", func(t *testing.T) {
		g, w := newIcy(t), newWorker()
		v := single(t, fenced(t, g.fence, nil), w, enclosed(sleeper()))
		g.occupied()
		v.Stop(actors.Ladder{}, actors.Cause{})
		receive(t, g.over)()
		receive(t, v.Done())
	})
	t.Run("has its grace once it runs", func(t *testing.T) {
		g, w := newIcy(t), newWorker()
		command, out := shell(t, "trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done")
		v := single(t, fenced(t, g.fence, nil), w, enclosed(command))
		g.occupied()
		time.Sleep(300 * time.Millisecond) // it is looked at seldom by now: it will run unseen for a while
		g.thaw()
		if got := out.line(); got != "up" {
			t.Error(got)
		}
		v.Stop(actors.Ladder{Term: true, Grace: time.Hour}, actors.Cause{})
		if r := receive(t, w.exited); r.Exit.Code != 7 {
			t.Error(r.Exit)
		}
		receive(t, g.over)()
		receive(t, v.Done())
	})
	t.Run("counts as started after a while", func(t *testing.T) {
		g, w := newIcy(t), newWorker()
		s := fenced(t, g.fence, nil)
		s.SetTooLong(50 * time.Millisecond)
		command := sleeper()
		command.Path = "/no/such/program"
		single(t, s, w, enclosed(command))
		receive(t, w.started)
		g.thaw()
		if r := receive(t, w.exited); r.Exit.Code != 127 {
			t.Error(r.Exit)
		}
		receive(t, g.over)()
	})
}

// A process bears its enclosure's mark before it executes anything, also as another
// user, whose limits this program may not be allowed to set.
func TestMark(t *testing.T) {
	users := []*actors.User{nil}
	if os.Getuid() == 0 {
		users = append(users, &actors.User{UID: 12345, GID: 12345})
	}
	for _, user := range users {
		f, w := newFence(), newWorker()
		f.mark = 1234567890123
		command, out := shell(t, "grep 'file locks' /proc/self/limits")
		command.Privileges.User = user
		single(t, fenced(t, f, nil), w, enclosed(command))
		if got := strings.Fields(out.rest()); len(got) < 4 || got[3] != "1234567890123" {
			t.Error(got)
		}
		receive(t, f.over)()
	}
}

// Files get their numbers though one has the other's, and nothing else arrives.
func TestFilesInEachOthersPlace(t *testing.T) {
	dir := t.TempDir()
	open := func(name string) *os.File {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	// Each file's number here is below what it is to be there, so that all have to
	// get out of the way first.
	files := []*os.File{nil, nil, nil}
	for i := range 30 {
		files = append(files, open(fmt.Sprint(i)))
	}
	slices.Reverse(files[3:])
	least := slices.MinFunc(files[3:], func(a, b *os.File) int { return int(a.Fd()) - int(b.Fd()) }).Fd()
	for range least {
		files = append([]*os.File{nil}, files...)
	}
	var want []string
	for i, f := range files {
		if f != nil {
			want = append(want, fmt.Sprintf("%d %s", i, f.Name()))
		}
	}
	w := newWorker()
	command := sleeper()
	command.Files = files
	single(t, newSystem(t), w, command)
	p := receive(t, w.started)
	eventually(t, "all files have their numbers, and no others are there", func() bool {
		var got []string
		for _, fd := range descriptors(t, p.PID()) {
			name, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", p.PID(), fd))
			got = append(got, fd+" "+name)
		}
		slices.SortFunc(got, func(a, b string) int { return number(a) - number(b) })
		return slices.Equal(got, want)
	})
}

// The descriptor of the rules is in no file's way, nor is one that got out of another's.
func TestFilesBesideRules(t *testing.T) {
	const n = 100
	null := devNull(t)
	command, out := shell(t, "readlink /proc/$$/fd/3 /proc/$$/fd/99; ls /proc/$$/fd; :")
	for len(command.Files) < n {
		command.Files = append(command.Files, null)
	}
	command.Privileges.Paths = &actors.Paths{Read: []string{"/"}, Write: []string{os.DevNull}}
	w := newWorker()
	single(t, newSystem(t), w, command)
	select {
	case <-w.started:
		got := strings.Fields(out.rest())
		if len(got) != 2+n-1 || got[0] != os.DevNull || got[1] != os.DevNull {
			t.Errorf("%q", got)
		}
		receive(t, w.exited)
	case err := <-w.failed:
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Fatal(err)
		}
		t.Skip(err)
	case <-time.After(patience):
		t.Fatal("neither started nor failed")
	}
}

func number(s string) (n int) {
	_, _ = fmt.Sscan(s, &n)
	return n
}

func init() { helpers["open files"] = openFiles }

// openFiles prints the limit of descriptors that os/exec leaves a child, and ours.
func openFiles() {
	const script = "ulimit -Sn; ulimit -Hn"
	peers, err := exec.Command("/bin/sh", "-c", script).Output()
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.Fields(string(peers)), outputOf(script))
	var raised syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &raised); err != nil {
		panic(err)
	}
	raised.Cur = 77
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err != nil {
		panic(err)
	}
	if peers, err = exec.Command("/bin/sh", "-c", script).Output(); err != nil {
		panic(err)
	}
	fmt.Println(strings.Fields(string(peers)), outputOf(script))
}

// outputOf returns what a shell that a system of its own starts writes.
func outputOf(script string) []string {
	r, err := reactor.New(reactor.Config{})
	if err != nil {
		panic(err)
	}
	defer r.Close()
	s, err := actors.NewSystem(r, actors.Config{})
	if err != nil {
		panic(err)
	}
	defer s.Close()
	out, in, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	defer out.Close()
	err = s.Start(newWorker(), func() (actors.Command, error) {
		return actors.Command{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Files: []*os.File{nil, in}}, nil
	})
	if err != nil {
		panic(err)
	}
	b, err := io.ReadAll(out)
	if err != nil {
		panic(err)
	}
	return strings.Fields(string(b))
}

// A process has the limit of descriptors that this program was given, and not what Go
// has raised it to, unless the program has set it.
func TestGivenOpenFiles(t *testing.T) {
	for _, limits := range []string{"ulimit -Sn 123; ulimit -Hn 456; ", "ulimit -n 456; "} {
		host := exec.Command("/bin/sh", "-c", limits+`exec "$0"`, os.Args[0])
		host.Env = helperEnv("open files")
		host.Stderr = os.Stderr
		out, err := host.Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
			peers, ours, _ := strings.Cut(line, "] ")
			if peers+"]" != ours || ours == "[]" {
				t.Errorf("%s: os/exec's child has %s, ours %s", limits, peers, ours)
			}
		}
	}
}
