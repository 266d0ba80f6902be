//go:build unix

package pool_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// The programs of this file are hosts, and their workers are the same program.

// pidsKey names, in the environment, a file to which each process adds its pid.
const pidsKey = "POOL_TEST_PIDS"

var (
	// spinAndTell tells its worker's pid and never yields.
	spinAndTell = pool.NewTask("spinAndTell", func(context.Context, none) (none, error) {
		tellPID()
		for n := 0; ; n++ {
		}
	})
	// startSleeper starts a process that outlives the task.
	startSleeper = pool.NewTask("startSleeper", func(context.Context, none) (int, error) {
		cmd := exec.Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		return cmd.Process.Pid, appendToFile(os.Getenv(pidsKey), itoa(cmd.Process.Pid))
	})
	// tellAndStop tells its worker's pid and stops it.
	tellAndStop = pool.NewTask("tellAndStop", func(context.Context, none) (none, error) {
		tellPID()
		return none{}, syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	})
	tell = pool.NewTask("tell", func(context.Context, none) (none, error) {
		tellPID()
		return none{}, nil
	})
)

func tellPID() {
	if err := appendToFile(os.Getenv(pidsKey), itoa(os.Getpid())); err != nil {
		panic(err)
	}
}

func init() {
	programs["forgetful host"] = func() {
		_, err := pool.NewProcessPool(pool.Config{})
		fmt.Println(errors.Is(err, pool.ErrNoMain), err)
	}
	programs["busy host"] = func() {
		pool.Main()
		ctx := context.Background()
		p, err := pool.NewProcessPool(pool.Config{Workers: 5})
		must(err)
		_, err = startSleeper.Submit(ctx, p, none{}).Result(ctx)
		must(err)
		spinAndTell.Submit(ctx, p, none{})
		announce.Submit(ctx, p, os.Getenv(pidsKey))
		tellAndStop.Submit(ctx, p, none{})
		_, err = tell.Submit(ctx, p, none{}).Result(ctx) // an idle one
		must(err)
		fmt.Println("ready")
		select {}
	}
	programs["replaced host"] = func() {
		pool.Main()
		ctx := context.Background()
		p, err := pool.NewProcessPool(pool.Config{Workers: 1, MaxFailures: 2, Logger: slog.New(slog.DiscardHandler)})
		must(err)
		fmt.Println("ready")
		_, err = bufio.NewReader(os.Stdin).ReadString('\n')
		must(err)
		_, err = exit.Submit(ctx, p, 1).Result(ctx)
		fmt.Println("the first worker:", err)
		n, err := double.Submit(ctx, p, 4).Result(ctx)
		fmt.Println("the second worker:", n, err)
		must(p.Close())
	}
}

// must is for programs.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// TestMainForgotten is PY-P-11: the host itself forgot.
func TestMainForgotten(t *testing.T) {
	stdout, stderr, code := run(t, program(t.Context(), "forgetful host"))
	if code != 0 || stderr != "" || !strings.HasPrefix(stdout, "true ") || !strings.Contains(stdout, "pool.Main()") {
		t.Errorf("PY-P-11: code %d, %q, %q", code, stdout, stderr)
	}
}

// begin starts a program and waits until it says that it is ready.
func begin(t *testing.T, cmd *exec.Cmd) (stdin io.Writer, stdout *bufio.Reader) {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stdout = bufio.NewReader(out)
	if line, err := stdout.ReadString('\n'); line != "ready\n" {
		t.Fatalf("the program said %q, %v", line, err)
	}
	return stdin, stdout
}

// TestHostKilled is PY-P-1 and LK-6: nothing is left of a host that was killed,
// 2 s later, be it idle, asleep, spinning, stopped, or started by a worker.
func TestHostKilled(t *testing.T) {
	pids := t.TempDir() + "/pids"
	cmd := program(t.Context(), "busy host", pidsKey+"="+pids)
	begin(t, cmd)
	eventually(t, "all have told their pids", func() bool { return len(lines(t, pids)) == 5 })
	eventually(t, "one is stopped", func() bool {
		return slices.ContainsFunc(lines(t, pids), func(pid string) bool { return strings.HasPrefix(status(atoi(pid)), "T") })
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(2 * time.Second)
	_ = cmd.Wait()
	for _, line := range lines(t, pids) {
		for pid := atoi(line); lives(pid); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("PY-P-1 LK-6: process %d is left of %v", pid, lines(t, pids))
				_ = syscall.Kill(pid, syscall.SIGKILL)
				break
			}
		}
	}
}

// TestBinaryReplaced: the program's file becomes another one while it runs. Its
// next worker is the program that runs, or the error says what has happened.
func TestBinaryReplaced(t *testing.T) {
	binary := t.TempDir() + "/program"
	copyFile(t, os.Args[0], binary)
	cmd := program(t.Context(), "replaced host")
	cmd.Path = binary
	stdin, stdout := begin(t, cmd)

	copyFile(t, "/bin/sh", binary+".new")
	if err := os.Rename(binary+".new", binary); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(stdin, "go on")
	rest, err := io.ReadAll(stdout)
	if err != nil || cmd.Wait() != nil {
		t.Fatalf("%v, %v", err, cmd.ProcessState)
	}
	if !strings.Contains(string(rest), "the first worker: task \"exit\"") ||
		!strings.Contains(string(rest), "the second worker: 8 <nil>") && !strings.Contains(string(rest), "the second worker: 0 the pool is broken: ") {
		t.Errorf("it said %s", rest)
	}
	t.Logf("%s", rest)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o700); err != nil {
		t.Fatal(err)
	}
}

// TestFewDescriptors: with no descriptors left a pool cannot be made, nor a
// worker replaced, and says so; with some again it works.
func TestFewDescriptors(t *testing.T) {
	stdout, stderr, code := run(t, program(t.Context(), "few descriptors"))
	want := []string{
		"no pool: true true",
		"a pool: 8 <nil>",
		"its worker: true",
		"the pool is broken: true true",
		"another pool: 8 <nil>",
	}
	if got := strings.Split(strings.TrimSpace(stdout), "\n"); code != 0 || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("code %d\n%s\n%s", code, stdout, stderr)
	}
}

func init() {
	programs["few descriptors"] = func() {
		pool.Main()
		ctx := context.Background()
		config := pool.Config{Workers: 1, MaxFailures: 3, Logger: slog.New(slog.DiscardHandler)}
		// The program's own first pool opens what Go's runtime needs.
		p, err := pool.NewProcessPool(config)
		must(err)
		must(p.Close())

		allow := limitDescriptors()
		_, err = pool.NewProcessPool(config)
		fmt.Println("no pool:", errors.Is(err, syscall.EMFILE), strings.Contains(err.Error(), "too many open files"))
		allow()

		p, err = pool.NewProcessPool(config)
		must(err)
		n, err := double.Submit(ctx, p, 4).Result(ctx)
		fmt.Println("a pool:", n, err)
		allow = limitDescriptors()
		_, err = exit.Submit(ctx, p, 1).Result(ctx)
		fmt.Println("its worker:", errors.Is(err, pool.ErrWorkerDied))
		_, err = double.Submit(ctx, p, 4).Result(ctx)
		fmt.Println("the pool is broken:", errors.Is(err, pool.ErrBroken), errors.Is(err, syscall.EMFILE))
		must(p.Close())
		allow()

		p, err = pool.NewProcessPool(config)
		must(err)
		n, err = double.Submit(ctx, p, 4).Result(ctx)
		fmt.Println("another pool:", n, err)
		must(p.Close())
	}
}

// limitDescriptors has no more descriptors opened until allow is called.
func limitDescriptors() (allow func()) {
	var before syscall.Rlimit
	must(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before))
	var held []*os.File
	must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 100, Max: before.Max}))
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		held = append(held, f)
	}
	return func() {
		for _, f := range held {
			f.Close()
		}
		must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before))
	}
}
