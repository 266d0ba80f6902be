//go:build unix

package pool_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// This file is what the tests of process pools have in common: tasks that do to
// their worker what workers suffer, and other programs as hosts.

var (
	pid = pool.NewTask("pid", func(context.Context, none) (int, error) { return os.Getpid(), nil })
	// announce writes its worker's pid to a file and sleeps on, heedless of its
	// context.
	announce = pool.NewTask("announce", func(_ context.Context, file string) (none, error) {
		if err := appendToFile(file, itoa(os.Getpid())); err != nil {
			return none{}, err
		}
		time.Sleep(time.Hour)
		return none{}, nil
	})
	// exit ends its worker as a task should not.
	exit = pool.NewTask("exit", func(_ context.Context, code int) (none, error) {
		os.Exit(code)
		return none{}, nil
	})
	// crash ends its worker by a panic that nobody can recover.
	crash = pool.NewTask("crash", func(_ context.Context, text string) (none, error) {
		go panic(text)
		select {}
	})
	// fault has its worker read where there is no memory.
	fault = pool.NewTask("fault", func(context.Context, none) (none, error) {
		go func() { _ = *nowhere }()
		select {}
	})
	// killSelf sends its worker a signal.
	killSelf = pool.NewTask("killSelf", func(_ context.Context, s syscall.Signal) (none, error) {
		if err := syscall.Kill(os.Getpid(), s); err != nil {
			return none{}, err
		}
		select {}
	})
	// afterContext writes a line when its context has ended, and sleeps on.
	afterContext = pool.NewTask("afterContext", func(ctx context.Context, file string) (none, error) {
		<-ctx.Done()
		err := appendToFile(file, ctx.Err().Error())
		time.Sleep(time.Hour)
		return none{}, err
	})
	// stopSelf stops its worker, which only SIGCONT or SIGKILL changes.
	stopSelf = pool.NewTask("stopSelf", func(context.Context, none) (none, error) {
		err := syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		time.Sleep(time.Hour)
		return none{}, err
	})
	// ignoreTerm ignores SIGTERM and its context.
	ignoreTerm = pool.NewTask("ignoreTerm", func(context.Context, none) (none, error) {
		signal.Ignore(syscall.SIGTERM)
		time.Sleep(time.Hour)
		return none{}, nil
	})
	// complain writes to standard error and exits.
	complain = pool.NewTask("complain", func(_ context.Context, text string) (none, error) {
		os.Stderr.WriteString(text)
		os.Exit(3)
		return none{}, nil
	})
)

// newProcessPool makes a pool that is closed, and checked, after the test.
// Unless the configuration says otherwise, what it and its workers have to say
// goes to the test's log, if the test fails.
func newProcessPool(t testing.TB, config pool.Config) *pool.ProcessPool {
	t.Helper()
	said := &lockedBuffer{}
	t.Cleanup(func() {
		if t.Failed() && said.String() != "" {
			t.Logf("the pool and its workers said:\n%s", said)
		}
	})
	if config.Stderr == nil {
		config.Stderr = said
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.NewTextHandler(said, nil))
	}
	p, err := pool.NewProcessPool(config)
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, p)
	return p
}

// nowhere points nowhere, for the task fault.
var nowhere *int

// workerPID returns the pid of a pool's worker, of one that answers.
func workerPID(t testing.TB, p pool.Pool) int {
	t.Helper()
	return value(t, pid.Submit(t.Context(), p, none{}))
}

// alive reports whether a process exists, be it as a zombie.
func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// status returns the state of any process as ps names it: T stopped, Z a zombie;
// empty: there is none.
func status(pid int) string {
	stat, err := exec.Command("ps", "-o", "stat=", "-p", itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(stat))
}

// lives reports whether a process that is not ours is more than a zombie, which
// its new parent may leave for a while.
func lives(pid int) bool {
	s := status(pid)
	return s != "" && s[0] != 'Z'
}

func itoa(n int) string { return strconv.Itoa(n) }

// atoi is for numbers that this package's tests wrote themselves.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// send sends a signal to a process that must be there.
func send(t testing.TB, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatalf("send %v to %d: %v", s, pid, err)
	}
}

// stop stops a process and returns when it has stopped.
func stop(t testing.TB, pid int) {
	t.Helper()
	send(t, pid, syscall.SIGSTOP)
	eventually(t, "it has stopped", func() bool { return strings.HasPrefix(status(pid), "T") })
}

// program prepares one of programs to run.
func program(ctx context.Context, name string, env ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), programKey+"="+name)
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// run runs a program to its end and returns what it wrote and its exit code.
func run(t testing.TB, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	if e := cmd.Run(); e != nil && cmd.ProcessState == nil {
		t.Fatal(e)
	}
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}
