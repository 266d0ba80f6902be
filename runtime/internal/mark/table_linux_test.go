package mark

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime/internal/proctree"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const patience = 20 * time.Second

func open(t *testing.T) *Table {
	t.Helper()
	table, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(table.Close)
	return table
}

func take(t *testing.T) Mark {
	t.Helper()
	m, err := Take()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Release)
	return m
}

// tree starts a marked shell that then starts a daemon by two forks and a session
// of its own, with nothing in its environment, and ends. It returns their pids.
func tree(t *testing.T, m Mark) (shell *exec.Cmd, daemon int) {
	t.Helper()
	shell = exec.Command("sh", "-c", `read go; (setsid env -i sh -c 'echo $$; exec sleep 1000' &)`)
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	if err := m.Set(shell.Process.Pid); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(in, "go")
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	daemon, err = strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return shell, daemon
}

// lives reports whether a process has not ended. A zombie has.
func lives(pid int) bool {
	stat, err := proctree.ReadStat(pid)
	return err == nil && !stat.Ended()
}

func TestMarkIsInherited(t *testing.T) {
	table, m, other := open(t), take(t), take(t)
	shell, daemon := tree(t, m)
	defer shell.Wait()
	if found, ok := Of(daemon); !ok || found != m {
		t.Fatalf("the daemon bears %v, %t; want %v", found, ok, m)
	}
	bystander := exec.Command("sleep", "1000")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	defer bystander.Wait()
	defer bystander.Process.Kill()
	if err := other.Set(bystander.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if left, err := table.Sweep(time.Now().Add(patience), func(x Mark) bool { return x == m }); err != nil || left != nil {
		t.Fatalf("left %v, %v", left, err)
	}
	if lives(daemon) || !lives(bystander.Process.Pid) {
		t.Errorf("the daemon lives: %t; the bystander, whose mark is another: %t", lives(daemon), lives(bystander.Process.Pid))
	}
}

// A zombie bears its mark, is none that is left, and is reaped by its parent.
func TestZombie(t *testing.T) {
	table, m := open(t), take(t)
	child := exec.Command("sh", "-c", "read go")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	pid := child.Process.Pid
	if err := m.Set(pid); err != nil {
		t.Fatal(err)
	}
	in.Close()
	for deadline := time.Now().Add(patience); lives(pid) && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if found, ok := Of(pid); !ok || found != m {
		t.Errorf("a zombie bears %v, %t", found, ok)
	}
	if left, err := table.Sweep(time.Now().Add(patience), func(x Mark) bool { return x == m }); err != nil || left != nil {
		t.Errorf("left %v, %v", left, err)
	}
	if err := child.Wait(); !errors.Is(err, syscall.ECHILD) {
		t.Errorf("an adopted one that was meant was not reaped: %v", err)
	}
}

// What cannot be read is not gone.
func TestUnreadableIsNotGone(t *testing.T) {
	table, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	table.Close()
	left, err := table.Sweep(time.Now().Add(5*time.Millisecond), func(Mark) bool { return true })
	if err == nil {
		t.Errorf("left %v, and no error, though nothing could be read", left)
	}
}

// All that it takes to kill a tree when there are no descriptors left is at hand.
func TestNoDescriptors(t *testing.T) {
	table, m := open(t), take(t)
	shell, daemon := tree(t, m)
	if err := shell.Wait(); err != nil {
		t.Fatal(err)
	}
	var whole unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &whole); err != nil {
		t.Fatal(err)
	}
	most := 0
	if entries, err := os.ReadDir("/proc/self/fd"); err == nil {
		for _, e := range entries {
			n, _ := strconv.Atoi(e.Name())
			most = max(most, n)
		}
	}
	few := unix.Rlimit{Cur: uint64(most + 1), Max: whole.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	var taken []int
	for range 3 {
		for {
			fd, err := unix.Dup(0)
			if err != nil {
				break
			}
			taken = append(taken, fd)
		}
		runtime.GC() // files that nobody has closed become free now, and not later
		time.Sleep(5 * time.Millisecond)
	}
	left, err := table.Sweep(time.Now().Add(5*time.Second), func(x Mark) bool { return x == m })
	for _, fd := range taken {
		_ = unix.Close(fd)
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &whole); err != nil {
		t.Fatal(err)
	}
	if err != nil || left != nil || lives(daemon) {
		t.Errorf("left %v, %v; the daemon lives: %t", left, err, lives(daemon))
	}
}

// Without pidfds (an older kernel, a sandbox) it is done by pids.
func TestKillByPID(t *testing.T) {
	table, m := open(t), take(t)
	shell, daemon := tree(t, m)
	defer shell.Wait()
	if s, err := table.killByPID(daemon, take(t)); s != Gone || err != nil || !lives(daemon) {
		t.Errorf("by a mark that it does not bear: %v, %v; it lives: %t", s, err, lives(daemon))
	}
	if s, err := table.killByPID(daemon, m); s != Lives || err != nil {
		t.Errorf("%v, %v", s, err)
	}
	for deadline := time.Now().Add(patience); lives(daemon) && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if s, err := table.killByPID(daemon, m); s == Lives || err != nil {
		t.Errorf("after its death: %v, %v", s, err)
	}
}

func TestTake(t *testing.T) {
	own, err := Own()
	if err != nil {
		t.Fatal(err)
	}
	var all []Mark
	for range most {
		m, err := Take()
		if err != nil {
			t.Fatal(err)
		}
		if top, ok := own.Toward(m); !ok || top != m {
			t.Fatalf("%v is not right below %v", m, own)
		}
		all = append(all, m)
	}
	if m, err := Take(); !errors.Is(err, ErrNone) {
		t.Errorf("one more: %v, %v", m, err)
	}
	all[1000].Release()
	if m, err := Take(); err != nil || m != all[1000] {
		t.Errorf("the free one: %v, %v", m, err)
	}
	for _, m := range all {
		m.Release()
	}
}

// BenchmarkLook is one look at all processes of the machine.
func BenchmarkLook(b *testing.B) {
	table, err := Open()
	if err != nil {
		b.Fatal(err)
	}
	defer table.Close()
	n := 0
	for b.Loop() {
		if err := table.Each(func(int, Mark) { n++ }); err != nil {
			b.Fatal(err)
		}
	}
}
