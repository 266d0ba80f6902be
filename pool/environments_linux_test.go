package pool_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/reactor/refusaltest"
)

// This file is about hosts that live in hard places. Each is a program of its own,
// which makes the place what it is and then has a pool do all that pools do.

const (
	resultKey = "POOL_TEST_RESULT" // the file that a host writes its result to
	placeKey  = "POOL_TEST_PLACE"  // what the place is made of
)

// Results of a host.
const (
	well    = "well"     // the pool did all that it should
	refused = "refused " // it said why not, by an error of its own
	skipped = "skipped " // the machine does not let the place be made, and why
)

// places make the place that their host lives in.
var places = map[string]func() error{
	"SIGCHLD ignored": func() error { signal.Ignore(syscall.SIGCHLD); return nil },
	"children reaped by somebody else": func() error {
		go func() {
			for {
				if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil {
					time.Sleep(100 * time.Microsecond)
				}
			}
		}()
		return nil
	},
	"pidfd_open refused by a sandbox": func() error { return refusaltest.Refuse(unix.SYS_PIDFD_OPEN, unix.EPERM) },
	"a full disk": func() error {
		dir := os.Getenv(placeKey)
		if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return err
		}
		if err := unix.Mount("none", dir, "tmpfs", 0, "size=16k"); err != nil {
			return err
		}
		os.Setenv("TMPDIR", dir)
		f, err := os.Create(dir + "/all of it")
		must(err)
		if _, err := f.Write(make([]byte, 1<<20)); !errors.Is(err, unix.ENOSPC) {
			return fmt.Errorf("the disk is not full: %w", err)
		}
		return f.Close()
	},
	"2 GiB in use": func() error {
		const size = 2 << 30
		var info unix.Sysinfo_t
		must(unix.Sysinfo(&info))
		if free := uint64(info.Freeram+info.Bufferram) * uint64(info.Unit); free < 2*size {
			return fmt.Errorf("%d bytes of memory are free", free)
		}
		memory = make([]byte, size)
		for i := 0; i < size; i += 4096 {
			memory[i] = 1
		}
		return nil
	},
	"main on its own thread": func() error { goruntime.LockOSThread(); return nil },
	"standard streams closed": func() error {
		return errors.Join(os.Stdin.Close(), os.Stdout.Close(), os.Stderr.Close())
	},
	"one processor": func() error { goruntime.GOMAXPROCS(1); return nil },
	"few descriptors": func() error {
		n := uint64(atoi(os.Getenv(placeKey)))
		return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n})
	},
	"a traced worker": func() error { return nil }, // see traced
}

// memory is what a large host holds.
var memory []byte

func init() {
	for name, make := range places {
		programs["in "+name] = func() {
			pool.Main()
			result := os.Getenv(resultKey)
			told := func(s string) {
				must(os.WriteFile(result+".new", []byte(s), 0o600))
				must(os.Rename(result+".new", result))
			}
			if name == "few descriptors" { // which the result itself needs
				file, err := os.Create(result)
				must(err)
				told = func(s string) { _, err := file.WriteString(s); must(err) }
			}
			if err := make(); err != nil {
				told(skipped + err.Error())
				return
			}
			told(exercise(name))
			goruntime.KeepAlive(memory)
		}
	}
	programs["tracer"] = trace
}

// exercise has a pool work, time a task out, lose workers and end, and says how
// that went.
func exercise(place string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	p, err := pool.NewProcessPool(pool.Config{
		Workers: 2, MaxFailures: 3, Grace: 20 * time.Millisecond, Spares: pool.NoSpares,
		Logger: slog.New(slog.DiscardHandler), Stderr: io.Discard,
	})
	if err != nil {
		return verdictOf(err)
	}
	var wrong []error
	expect := func(what string, err, want error) {
		if !errors.Is(err, want) && !errors.Is(err, pool.ErrBroken) {
			wrong = append(wrong, fmt.Errorf("%s: %w", what, err))
		}
	}
	broken := error(nil)
	note := func(err error) error {
		if errors.Is(err, pool.ErrBroken) {
			broken = err
		}
		return err
	}
	if place == "a traced worker" {
		if result := traced(ctx, p); result != "" {
			return result + closing(p)
		}
	}
	sum := 0
	for n, err := range double.Map(ctx, p, numbers(1000)) {
		if note(err) != nil {
			expect("a map", err, nil)
			break
		}
		sum += n
	}
	if sum != 999*1000 && broken == nil {
		wrong = append(wrong, fmt.Errorf("a map's sum is %d", sum))
	}
	rounds := 3
	if place == "few descriptors" { // of which there are many hosts
		rounds = 1
	}
	for range rounds {
		expect("a task that hangs", note(spin.Submit(ctx, p, none{}, pool.WithTimeout(100*time.Millisecond)).Err(ctx)), context.DeadlineExceeded)
		died := note(exit.Submit(ctx, p, 3).Err(ctx))
		expect("a task that exits", died, pool.ErrWorkerDied)
		if of, ok := errors.AsType[*pool.WorkerError](died); ok && of.Exit.Kind != reactor.Unknown && of.Exit.Code != 3 {
			wrong = append(wrong, fmt.Errorf("an exit is told as %v", of.Exit))
		}
		n, err := double.Submit(ctx, p, 4).Result(ctx)
		if expect("a task", note(err), nil); err == nil && n != 8 {
			wrong = append(wrong, fmt.Errorf("double 4 is %d", n))
		}
	}
	if left := closing(p); left != "" {
		wrong = append(wrong, errors.New(left))
	}
	switch {
	case len(wrong) > 0:
		return errors.Join(wrong...).Error()
	case broken != nil:
		return verdictOf(broken)
	}
	return well
}

// closing closes a pool and says what is wrong with that.
func closing(p *pool.ProcessPool) string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.Shutdown(ctx, pool.Drain); err != nil {
		return "Shutdown: " + err.Error()
	}
	return ""
}

// verdictOf is the result of a host that an error has ended: it must be one of the
// library's own, and tell the system's.
func verdictOf(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) && (errors.Is(err, pool.ErrBroken) || strings.Contains(err.Error(), "reactor") || strings.Contains(err.Error(), "host")) {
		return refused + err.Error()
	}
	return fmt.Sprintf("an error of type %T: %v", err, err)
}

// traced has a worker traced by another program, as a debugger does. Empty: it is.
func traced(ctx context.Context, p *pool.ProcessPool) string {
	pid, err := pid.Submit(ctx, p, none{}).Result(ctx)
	must(err)
	tracer := program(ctx, "tracer", placeKey+"="+itoa(pid))
	tracer.Stderr = os.Stderr
	out, err := tracer.StdoutPipe()
	must(err)
	must(tracer.Start())
	said := make([]byte, 200)
	n, _ := out.Read(said)
	go func() { _ = tracer.Wait() }()
	if s := string(said[:n]); s != "traced" {
		return skipped + s
	}
	return ""
}

// trace is the program that traces a worker until that ends.
func trace() {
	goruntime.LockOSThread()
	pid := atoi(os.Getenv(placeKey))
	for _, task := range mustGlob(fmt.Sprintf("/proc/%d/task/[0-9]*", pid)) {
		if err := unix.PtraceSeize(atoi(task[strings.LastIndexByte(task, '/')+1:])); err != nil {
			fmt.Print(err)
			return
		}
	}
	fmt.Print("traced")
	for {
		var status unix.WaitStatus
		who, err := unix.Wait4(-1, &status, unix.WALL, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return // nothing is left to trace
		}
		if status.Stopped() {
			s := int(status.StopSignal())
			if status.TrapCause() > 0 { // an event, not a signal
				s = 0
			}
			_ = unix.PtraceCont(who, s)
		}
	}
}

func mustGlob(pattern string) []string {
	names, err := filepath.Glob(pattern)
	must(err)
	return names
}

// in runs a host in a place and returns its result. It fails the test if the host
// hangs, or dies.
func in(t *testing.T, place, of string, change func(*exec.Cmd)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	result := t.TempDir() + "/result"
	host := program(ctx, "in "+place, resultKey+"="+result, placeKey+"="+of)
	var said lockedBuffer
	host.Stdout, host.Stderr, host.WaitDelay = &said, &said, time.Second
	if change != nil {
		change(host)
	}
	err := host.Run()
	if errors.Is(err, unix.EPERM) && host.Process == nil {
		t.Skipf("this machine does not allow it: %v", err)
	}
	data, _ := os.ReadFile(result)
	if err != nil || len(data) == 0 {
		t.Fatalf("the host ended with %v (%v), and said: %s", err, ctx.Err(), said.String())
	}
	return string(data)
}

// TestHardPlaces: a pool does all that it should in places that are hard on it.
func TestHardPlaces(t *testing.T) {
	for place := range places {
		if place == "few descriptors" || fewer && place == "2 GiB in use" {
			continue
		}
		t.Run(place, func(t *testing.T) {
			of, change := "", func(*exec.Cmd) {}
			if place == "a full disk" {
				of = t.TempDir()
				change = func(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS} }
			}
			result := in(t, place, of, change)
			if why, ok := strings.CutPrefix(result, skipped); ok {
				t.Skipf("this machine does not allow it: %s", why)
			}
			if result != well {
				t.Error(result)
			}
		})
	}
}

// TestEveryNumberOfDescriptors: whatever number of descriptors a program may have,
// its pool works, or says why it cannot; nothing hangs, and nothing is left.
func TestEveryNumberOfDescriptors(t *testing.T) {
	step := 1
	if fewer {
		step = 7
	}
	enough := 0
	for n := 6; n <= 44; n += step {
		result := in(t, "few descriptors", itoa(n), nil)
		switch {
		case result == well:
			if enough == 0 {
				enough = n
			}
		case strings.HasPrefix(result, refused):
			if n > 40 {
				t.Errorf("%d descriptors: %s", n, result)
			}
		default:
			t.Errorf("%d descriptors: %s", n, result)
		}
	}
	t.Logf("%d descriptors are enough", enough)
}
