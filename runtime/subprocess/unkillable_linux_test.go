package subprocess_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/reactor/frozentest"
	"github.com/stint-go/stint/reactor/leaktest"
	"github.com/stint-go/stint/runtime"
	"github.com/stint-go/stint/runtime/subprocess"
)

// brief is the time that killed commands have in these tests.
const brief = 200 * time.Millisecond

func briefHost(t *testing.T) *runtime.Host {
	t.Helper()
	host, err := runtime.Start(runtime.Config{KillTimeout: brief, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	return host
}

// stuckCommand says "up PID" and holds its streams.
func stuckCommand(host *runtime.Host) subprocess.Cmd {
	cmd := subprocess.Shell("echo up $$; exec sleep 1000")
	cmd.Host, cmd.Grace = host, -1
	return cmd
}

// holding has what the command says go to an output, and freezes the command when it has said that it
// is up: then froze is closed.
func holding(t *testing.T, cmd *subprocess.Cmd) (froze <-chan struct{}) {
	t.Helper()
	done := make(chan struct{})
	cmd.Stdout = subprocess.Lines(func(line []byte) {
		pid, err := strconv.Atoi(strings.TrimPrefix(string(line), "up "))
		if err != nil {
			t.Error(err)
			return
		}
		frozentest.Hold(t, pid)
		close(done)
	})
	return done
}

func isStuck(t *testing.T, err error) {
	t.Helper()
	var stuck *actors.UnkillableError
	if !errors.As(err, &stuck) || !errors.Is(err, actors.ErrUnkillable) || stuck.After < brief {
		t.Fatalf("%v", err)
	}
	for _, word := range []string{fmt.Sprint("process ", stuck.PID), "SIGKILL", "sh -c"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

// A command that SIGKILL does not end keeps nobody for ever, whatever kills it; what
// it wrote is kept.
func TestUnkillableRun(t *testing.T) {
	leaktest.Check(t)
	t.Run("timeout", func(t *testing.T) {
		cmd := stuckCommand(briefHost(t))
		var p *subprocess.Process
		for held := false; !held; cmd.Timeout *= 2 {
			cmd.Timeout = max(cmd.Timeout, brief)
			p = begin(t, cmd)
			_, held = frozentest.TryHold(t, p.PID())
		}
		r, err := p.Communicate(soon(t), nil)
		isStuck(t, err)
		var timeout *subprocess.TimeoutError
		if !errors.As(err, &timeout) || !errors.Is(err, context.DeadlineExceeded) || r.Complete || r.Success() {
			t.Errorf("%v: %+v", err, r)
		}
		if out := string(timeout.Result.Stdout); out != "" && out != fmt.Sprintln("up", p.PID()) {
			t.Errorf("%q", out)
		}
	})
	t.Run("context", func(t *testing.T) {
		cmd := stuckCommand(briefHost(t))
		froze := holding(t, &cmd)
		ctx, cancel := context.WithCancelCause(soon(t))
		enough := errors.New("enough")
		go func() {
			<-froze
			cancel(enough)
		}()
		r, err := subprocess.Run(ctx, cmd)
		isStuck(t, err)
		if !errors.Is(err, enough) || !errors.Is(err, context.Canceled) || r.Exit.Kind != reactor.Unknown {
			t.Errorf("%v: %v", err, r.Exit)
		}
	})
}

// Wait, Done, Poll and Communicate of a started one, killed by a method.
func TestUnkillableProcess(t *testing.T) {
	leaktest.Check(t)
	for name, kill := range map[string]func(*subprocess.Process){
		"tree":  func(p *subprocess.Process) { p.KillTree(0) },
		"grace": func(p *subprocess.Process) { p.KillTree(time.Millisecond) },
		"alone": func(p *subprocess.Process) { _ = p.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			cmd := stuckCommand(briefHost(t))
			froze := holding(t, &cmd)
			p := begin(t, cmd)
			<-froze
			kill(p)
			exit, err := p.Wait(soon(t))
			isStuck(t, err)
			<-p.Done()
			if polled, ended := p.Poll(); !ended || polled.Success() || exit.Kind != reactor.Unknown {
				t.Error(polled, exit)
			}
			r, err := p.Communicate(soon(t), nil)
			isStuck(t, err)
			if r.Complete {
				t.Error("complete")
			}
			if err := p.Release(); err != nil {
				t.Error(err)
			}
		})
	}
}

// Reads and writes of Pipes end, too, and Release closes them.
func TestUnkillablePipes(t *testing.T) {
	leaktest.Check(t)
	cmd := stuckCommand(briefHost(t))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = subprocess.Pipe, subprocess.Pipe, subprocess.Pipe
	p := begin(t, cmd)
	out := bufio.NewReader(p.Stdout())
	if _, err := out.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	frozentest.Hold(t, p.PID())
	blocked := make(chan error, 3)
	go func() { _, err := out.ReadByte(); blocked <- err }()
	go func() { _, err := io.ReadAll(p.Stderr()); blocked <- err }()
	go func() { _, err := p.Stdin().Write(make([]byte, 4<<20)); blocked <- err }()
	p.KillTree(0)
	for range 3 {
		if err := <-blocked; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	}
	_, err := p.Communicate(soon(t), nil)
	isStuck(t, err)
	if err := p.Release(); err != nil {
		t.Error(err)
	}
}

// One stage of a pipeline that does not end does not keep the others.
func TestUnkillablePipeline(t *testing.T) {
	leaktest.Check(t)
	host := briefHost(t)
	stuck := subprocess.Shell("echo up $$; exec sleep 1000")
	read := subprocess.Command("cat")
	stuck.Host, read.Host, stuck.Grace, read.Grace = host, host, -1, -1
	froze := holding(t, &read)
	ctx, cancel := context.WithCancel(soon(t))
	go func() {
		<-froze
		cancel()
	}()
	rs, err := subprocess.Pipeline(ctx, stuck, read)
	var stage *subprocess.PipelineError
	if !errors.As(err, &stage) || !errors.Is(err, context.Canceled) || len(rs) != 2 {
		t.Fatal(err)
	}
	if !errors.Is(rs[0].Exit.Err, actors.ErrUnkillable) {
		t.Error(rs[0].Exit)
	}
}

// The host's close has a bound as well.
func TestUnkillableHost(t *testing.T) {
	leaktest.Check(t)
	host := briefHost(t)
	cmd := stuckCommand(host)
	froze := holding(t, &cmd)
	p := begin(t, cmd)
	<-froze
	if err := host.Close(); err != nil {
		t.Error(err)
	}
	_, err := p.Communicate(soon(t), nil)
	isStuck(t, err)
	if !errors.Is(err, actors.ErrClosed) {
		t.Error(err)
	}
}
