//go:build unix

package subprocess_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime"
	"github.com/stint-go/stint/runtime/subprocess"
)

// begin starts a command, which is killed at the end of the test if it lives.
func begin(t testing.TB, cmd subprocess.Cmd) *subprocess.Process {
	t.Helper()
	p, err := subprocess.Start(soon(t), cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.KillTree(0)
		<-p.Done()
	})
	return p
}

// ready starts a shell script that says "up", and waits for that.
func ready(t testing.TB, script string) *subprocess.Process {
	t.Helper()
	up := make(chan struct{})
	cmd := subprocess.Shell(script)
	var once sync.Once
	cmd.Stdout = subprocess.Lines(func([]byte) { once.Do(func() { close(up) }) })
	p := begin(t, cmd)
	select {
	case <-up:
	case <-soon(t).Done():
		t.Fatal("it does not come up")
	}
	return p
}

// wait waits for the exit.
func wait(t testing.TB, p *subprocess.Process) reactor.Exit {
	t.Helper()
	e, err := p.Wait(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// PY-P-2 and PY-P-4: alive, then exited; Done is closed after the exit alone.
func TestLife(t *testing.T) {
	cmd := subprocess.Command("cat")
	cmd.Stdin = subprocess.Pipe
	p := begin(t, cmd)
	if _, exited := p.Poll(); exited {
		t.Error("exited")
	}
	select {
	case <-p.Done():
		t.Error("done")
	default:
	}
	if err := p.Stdin().Close(); err != nil {
		t.Error(err)
	}
	if e := wait(t, p); !e.Success() {
		t.Error(e)
	}
	if e, exited := p.Poll(); !exited || !e.Success() {
		t.Error(e, exited)
	}
	<-p.Done()
}

// PY-P-3: what ends it is what is told.
func TestSignals(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*subprocess.Process) error
		want syscall.Signal
	}{
		"terminate": {(*subprocess.Process).Terminate, syscall.SIGTERM},
		"kill":      {(*subprocess.Process).Kill, syscall.SIGKILL},
		"signal":    {func(p *subprocess.Process) error { return p.Signal(syscall.SIGUSR1) }, syscall.SIGUSR1},
		"tree":      {func(p *subprocess.Process) error { p.KillTree(patience); return nil }, syscall.SIGTERM},
	} {
		t.Run(name, func(t *testing.T) {
			p := begin(t, subprocess.Command("sleep", "1000"))
			if err := c.end(p); err != nil {
				t.Error(err)
			}
			if e := wait(t, p); e.Signal != c.want {
				t.Error(e)
			}
			if err := p.Kill(); !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
		})
	}
}

// PY-P-5: release while alive errors, use after release errors, double release is fine.
func TestRelease(t *testing.T) {
	cmd := subprocess.Command("cat")
	cmd.Stdin, cmd.Stdout = subprocess.Pipe, subprocess.Pipe
	p := begin(t, cmd)
	if err := p.Release(); !errors.Is(err, subprocess.ErrAlive) {
		t.Error(err)
	}
	p.KillTree(0)
	if _, err := p.Communicate(soon(t), nil); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := p.Release(); err != nil {
			t.Error(err)
		}
	}
	_, waited := p.Wait(soon(t))
	_, communicated := p.Communicate(soon(t), nil)
	for _, err := range []error{waited, communicated, p.Kill(), p.Stop()} {
		if !errors.Is(err, subprocess.ErrReleased) {
			t.Error(err)
		}
	}
	if _, err := p.Stdout().Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

// PY-P-6: 100 short ones all exit 0; 100 terminated all report SIGTERM.
func TestMany(t *testing.T) {
	const n = 100
	short, long := make([]*subprocess.Process, n), make([]*subprocess.Process, n)
	for i := range n {
		short[i] = begin(t, subprocess.Command("true"))
		long[i] = begin(t, subprocess.Command("sleep", "1000"))
	}
	for i := range n {
		if err := long[i].Terminate(); err != nil {
			t.Error(err)
		}
	}
	for i := range n {
		if e := wait(t, short[i]); !e.Success() {
			t.Error(e)
		}
		if e := wait(t, long[i]); e.Signal != syscall.SIGTERM {
			t.Error(e)
		}
	}
}

// PY-P-8: a command that closes its outputs ends as it says.
func TestClosedOutputs(t *testing.T) {
	p := begin(t, subprocess.Shell("exec >&- 2>&-; exit 0"))
	r, err := p.Communicate(soon(t), nil)
	if err != nil || !r.Success() || !r.Complete {
		t.Errorf("%v, %v", r.Exit, err)
	}
}

// PY-SP-7: many who wait and kill agree; asked again, they say the same.
func TestWaitByMany(t *testing.T) {
	p := begin(t, subprocess.Command("sleep", "1000"))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if e, err := p.Wait(soon(t)); err != nil || e.Signal != syscall.SIGKILL {
				t.Error(e, err)
			}
		})
		all.Go(func() { _ = p.Kill() })
	}
	all.Wait()
	if first, second := wait(t, p), wait(t, p); first.String() != second.String() || first.Time != second.Time {
		t.Error(first, second)
	}
}

// AIO-1: a wait that is cancelled leaves the process, and a later one works.
func TestCanceledWait(t *testing.T) {
	p := begin(t, subprocess.Command("sleep", "1000"))
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("no time")
	cancel(reason)
	_, err := p.Wait(ctx)
	var ended *subprocess.WaitError
	if !errors.As(err, &ended) || !errors.Is(err, reason) || !errors.Is(err, context.Canceled) || ended.PID != p.PID() {
		t.Error(err)
	}
	if err := p.Signal(0); err != nil {
		t.Error(err)
	}
	_ = p.Kill()
	wait(t, p)
	if _, err := p.Wait(ctx); err != nil { // what is done counts more
		t.Error(err)
	}
}

// GO-2: a stop is no exit, and continuing works while somebody waits.
func TestStopAndContinue(t *testing.T) {
	p := ready(t, `trap 'echo continued; exit 7' CONT; echo up; while :; do sleep 0.01; done`)
	exit := make(chan reactor.Exit, 1)
	go func() {
		e, _ := p.Wait(soon(t))
		exit <- e
	}()
	if err := p.Stop(); err != nil {
		t.Error(err)
	}
	if _, exited := p.Poll(); exited {
		t.Error("a stop is taken for an exit")
	}
	if err := p.Continue(); err != nil {
		t.Error(err)
	}
	if e := <-exit; e.Code != 7 {
		t.Error(e)
	}
}

// PY-SP-1: a communication that times out loses nothing; the next one has all.
func TestCommunicateAgain(t *testing.T) {
	input := bytes.Repeat([]byte("x"), 4<<20)
	soonest := filepath.Join(t.TempDir(), "soonest") // when it is there, the input is read
	cmd := subprocess.Shell(`echo early; until [ -e "$1" ]; do sleep 0.01; done; cat; echo late`, soonest)
	cmd.Stdin = subprocess.Pipe
	p := begin(t, cmd)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := p.Communicate(ctx, input)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if _, err := p.Communicate(ctx, input); !errors.Is(err, subprocess.ErrInput) {
		t.Error(err)
	}
	if err := os.WriteFile(soonest, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := p.Communicate(soon(t), nil)
	want := "early\n" + string(input) + "late\n"
	if err != nil || string(r.Stdout) != want || !r.Complete {
		t.Errorf("%d bytes of %d, %v", len(r.Stdout), len(want), err)
	}
}

// Pipes are for a conversation.
func TestPipes(t *testing.T) {
	cmd := subprocess.Shell(`while read x; do echo "got $x"; echo "err $x" >&2; done`)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = subprocess.Pipe, subprocess.Pipe, subprocess.Pipe
	p := begin(t, cmd)
	out, errs := bufio.NewReader(p.Stdout()), bufio.NewReader(p.Stderr())
	for i := range 3 {
		fmt.Fprintln(p.Stdin(), i)
		got, _ := out.ReadString('\n')
		said, _ := errs.ReadString('\n')
		if got != fmt.Sprintf("got %d\n", i) || said != fmt.Sprintf("err %d\n", i) {
			t.Errorf("%q, %q", got, said)
		}
	}
	_ = p.Stdin().Close()
	if _, err := out.ReadByte(); err != io.EOF {
		t.Error(err)
	}
	wait(t, p)
	if _, err := p.Communicate(soon(t), nil); err != nil {
		t.Error(err)
	}
	if err := p.Release(); err != nil {
		t.Error(err)
	}
}

// TK-2: a writer is freed when the command that it writes to is killed.
func TestWriterOfKilled(t *testing.T) {
	cmd := subprocess.Command("sleep", "1000")
	cmd.Stdin = subprocess.Pipe
	p := begin(t, cmd)
	freed := make(chan error, 1)
	go func() {
		_, err := p.Stdin().Write(make([]byte, 1<<20))
		freed <- err
	}()
	p.KillTree(0)
	select {
	case err := <-freed:
		if !errors.Is(err, syscall.EPIPE) {
			t.Error(err)
		}
	case <-soon(t).Done():
		t.Error("the writer hangs")
	}
}

// ER-2: what is left of the group ends with its leader.
func TestGroupEndsWithLeader(t *testing.T) {
	r := run(t, subprocess.Shell("sleep 1000 & echo $!"))
	if !r.Complete {
		t.Error("somebody holds the pipe")
	}
}

// GO-4, PY-SP-13 and PY-P-7: what is started at the same time has none of the
// others' descriptors.
func TestConcurrentStarts(t *testing.T) {
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			cmd := subprocess.Shell(`cat; cd /dev/fd && for f in 3 4 5 6 7 8 9; do (eval ": <&$f") 2>&- && echo "has $f"; done; true`)
			cmd.Stdin = subprocess.Bytes(fmt.Append(nil, i))
			r, err := subprocess.Run(soon(t), cmd)
			if err != nil || string(r.Stdout) != fmt.Sprint(i) {
				t.Errorf("%q, %v", r.Stdout, err)
			}
		})
	}
	all.Wait()
}

// PY-SP-17: one that nobody asks about any more is reaped, and nothing of it is left.
func TestAbandoned(t *testing.T) {
	leaktest.Check(t)
	for range 10 {
		if _, err := subprocess.Start(soon(t), subprocess.Command("true")); err != nil {
			t.Error(err)
		}
	}
}

// PY-SP-4: failed starts leave no descriptors.
func TestFailedStarts(t *testing.T) {
	leaktest.Check(t)
	for range 1024 {
		cmd := subprocess.Command("/no/such/program")
		cmd.Stdin = subprocess.Bytes(nil)
		if _, err := subprocess.Start(t.Context(), cmd); err == nil {
			t.Fatal("it started")
		}
	}
}

// PY-SP-6: a failed start closes nothing that another goroutine has just opened.
func TestFailedStartsBesideOpens(t *testing.T) {
	stop := make(chan struct{})
	var opener sync.WaitGroup
	opener.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			r, w, err := os.Pipe()
			if err == nil {
				_, err = w.WriteString("x")
			}
			if err == nil {
				_, err = r.Read(make([]byte, 1))
			}
			if err = errors.Join(err, r.Close(), w.Close()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 200 {
		_, _ = subprocess.Start(t.Context(), subprocess.Command("/no/such/program"))
	}
	close(stop)
	opener.Wait()
}

// A host that was brought is used, and its end is the command's.
func TestHost(t *testing.T) {
	host, err := runtime.Start(runtime.Config{})
	if err != nil {
		t.Fatal(err)
	}
	cmd := subprocess.Command("sleep", "1000")
	cmd.Host = host
	p := begin(t, cmd)
	if err := host.Close(); err != nil {
		t.Error(err)
	}
	if _, err := p.Communicate(soon(t), nil); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Error(err)
	}
	if _, err := subprocess.Start(soon(t), cmd); err == nil {
		t.Error("a closed host starts commands")
	}
}

// A command's session is its own.
func TestSession(t *testing.T) {
	cmd := subprocess.Shell("ps -o sid= -p $$")
	cmd.Session = true
	r := run(t, cmd)
	if strings.TrimSpace(string(r.Stdout)) != fmt.Sprint(r.PID) {
		t.Errorf("session %s of %d", r.Stdout, r.PID)
	}
}
