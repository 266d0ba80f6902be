package subprocess_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime/subprocess"
)

// ends waits for the end of a process that is no child of this program.
func ends(t *testing.T, pid string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("it has escaped: %s", stat)
		}
		time.Sleep(time.Millisecond)
	}
}

// straying is a script that says the pids of two descendants in sessions of their own, a
// child and a child of a child, and waits. $1 is what they run.
const straying = `
setsid sh -c 'echo $$; eval "$0"' "$1" &
sh -c 'setsid sh -c "echo \$\$; eval \"\$0\"" "$0" & wait' "$1" &
wait`

// What has left the command's group ends with the command, whatever kills it.
func TestStraysAreKilled(t *testing.T) {
	leaktest.Check(t)
	const stubborn = `trap "" TERM; while :; do sleep 1000; done`
	for _, what := range []string{"exec sleep 1000", stubborn} {
		for name, end := range map[string]func(*subprocess.Process, context.CancelFunc){
			"timeout":            nil,
			"context":            func(_ *subprocess.Process, cancel context.CancelFunc) { cancel() },
			"KillTree":           func(p *subprocess.Process, _ context.CancelFunc) { p.KillTree(0) },
			"KillTree and grace": func(p *subprocess.Process, _ context.CancelFunc) { p.KillTree(50 * time.Millisecond) },
		} {
			t.Run(fmt.Sprintf("%s, %.6s", name, what), func(t *testing.T) {
				for timeout := 300 * time.Millisecond; !straysEnd(t, what, timeout, name == "context", end); timeout *= 2 {
					t.Logf("not all were there after %v", timeout)
				}
			})
		}
	}
}

// straysEnd runs a command that has strays, ends it, or without an end has it end at a timeout, and waits
// for the strays to go. False: the timeout was too short for them to come.
func straysEnd(t *testing.T, what string, timeout time.Duration, byContext bool, end func(*subprocess.Process, context.CancelFunc)) bool {
	t.Helper()
	cmd := subprocess.Shell(straying, what)
	pids := make(chan string, 2)
	cmd.Stdout = subprocess.Lines(func(line []byte) { pids <- string(line) })
	if end == nil {
		cmd.Timeout = timeout
	}
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	var p *subprocess.Process
	done := make(chan error, 1)
	if byContext {
		go func() { _, err := subprocess.Run(ctx, cmd); done <- err }()
	} else {
		p = begin(t, cmd)
		go func() { _, err := p.Communicate(soon(t), nil); done <- err }()
	}
	var err error
	if end == nil {
		if err = <-done; len(pids) < 2 && timeout < patience {
			return false
		}
	}
	for range 2 {
		defer ends(t, <-pids)
	}
	if end != nil {
		end(p, cancel)
		err = <-done
	}
	if end == nil && !errors.Is(err, context.DeadlineExceeded) || byContext && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	return true
}

// What cannot be looked for, as there is not one descriptor, is told.
func TestOverlookedStrays(t *testing.T) { help(t, "overlook") }

func init() { helpers["overlook"] = overlook }

func overlook() {
	for _, timeout := range []time.Duration{0, time.Second} {
		cmd := subprocess.Shell("setsid sleep 1000 >/dev/null & echo $!; wait")
		cmd.Stdout, cmd.Timeout = subprocess.Pipe, timeout
		p, err := subprocess.Start(context.Background(), cmd)
		if err != nil {
			fail("%v", err)
		}
		var stray int
		if _, err := fmt.Fscan(p.Stdout(), &stray); err != nil {
			fail("%v", err)
		}
		for session := 0; session != stray; time.Sleep(time.Millisecond) {
			if session, err = unix.Getsid(stray); err != nil { // it has left the command's group
				fail("%v", err)
			}
		}
		var whole unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &whole); err != nil {
			fail("%v", err)
		}
		none := whole
		set(&none.Cur, 0)
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &none)
		if timeout == 0 {
			p.KillTree(0)
		}
		r, err := p.Communicate(context.Background(), nil)
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &whole)
		lived := syscall.Kill(stray, syscall.SIGKILL) == nil
		var overlooked *subprocess.StrayError
		if !errors.As(err, &overlooked) || !errors.Is(err, syscall.EMFILE) || r.Strays != overlooked ||
			overlooked.PID != p.PID() || !strings.Contains(err.Error(), "ulimit -n") {
			fail("%v", err)
		}
		if errors.Is(err, context.DeadlineExceeded) != (timeout > 0) {
			fail("%v", err)
		}
		if !lived {
			fail("the stray had ended")
		}
		p.Stdout().Close()
		if err := p.Release(); err != nil {
			fail("%v", err)
		}
	}
}

// Within the grace all of the tree is asked and goes on; who heeds it is not killed.
func TestStraysAreAsked(t *testing.T) {
	leaktest.Check(t)
	file := t.TempDir() + "/asked"
	// The leader has its trap before there is anybody to say that all is up.
	cmd := subprocess.Shell(`trap 'echo leader >>"$1"; wait; exit 5' TERM
		setsid sh -c 'trap "echo stray >>$0; exit" TERM; echo up; while :; do sleep 0.01; done' "$1" & wait`, file)
	cmd.Grace = patience
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	cmd.Stdout = subprocess.Lines(func([]byte) { cancel() })
	r, err := subprocess.Run(ctx, cmd)
	if !errors.Is(err, context.Canceled) || r.Exit.Code != 5 {
		t.Errorf("%v: %v", r.Exit, err)
	}
	asked, err := os.ReadFile(file)
	if text := string(asked); err != nil || strings.Count(text, "stray") != 1 || strings.Count(text, "leader") != 1 {
		t.Errorf("%q, %v", text, err)
	}
}

// A second, harsher kill hastens the first one, whose cause stands.
func TestKillIsHastened(t *testing.T) {
	cmd := subprocess.Shell(`trap "" TERM; echo up; while :; do sleep 0.01; done`)
	cmd.Stdout = subprocess.Pipe
	p := begin(t, cmd)
	defer p.Stdout().Close()
	if _, err := bufio.NewReader(p.Stdout()).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	p.KillTree(time.Hour)
	p.KillTree(2 * time.Hour)
	p.KillTree(0)
	if e := wait(t, p); e.String() != "killed by SIGKILL" {
		t.Error(e)
	}
}

// What is stopped is killed as well, with what it has started.
func TestStoppedIsKilled(t *testing.T) {
	leaktest.Check(t)
	p := ready(t, `setsid sh -c 'kill -STOP $$' & echo up; wait`)
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	p.KillTree(20 * time.Millisecond)
	if e := wait(t, p); e.Kind != reactor.Signalled {
		t.Error(e)
	}
}

// Many timeouts at once take no thread each, and all are told.
func TestManyTimeouts(t *testing.T) { help(t, "timeouts") }

func init() { helpers["timeouts"] = manyTimeouts }

func manyTimeouts() {
	const n = 300
	cmd := subprocess.Command("sleep", "1000")
	cmd.Timeout, cmd.Grace = 100*time.Millisecond, -1
	done := make(chan error, n)
	for range n {
		go func() { _, err := subprocess.Run(context.Background(), cmd); done <- err }()
	}
	for range n {
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			fail("%v", err)
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fail("%v", err)
	}
	_, rest, _ := strings.Cut(string(status), "Threads:")
	if threads, err := strconv.Atoi(strings.Fields(rest)[0]); err != nil || threads > 16 {
		fail("%d threads, %v", threads, err)
	}
}
