package subprocess_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime"
	"github.com/stint-go/stint/runtime/subprocess"
)

// limited returns a shell command that has limits.
func limited(limits subprocess.Limits, script string, args ...string) subprocess.Cmd {
	cmd := subprocess.Shell(script, args...)
	cmd.Limits = limits
	return cmd
}

// Every limit holds from the first instruction, for the command and for what it starts.
func TestLimits(t *testing.T) {
	script := "for what in v t n f c u; do /bin/bash -c \"ulimit -S$what; ulimit -H$what\"; done | tr '\\n' ' '"
	cmd := limited(subprocess.Limits{
		AddressSpace: 512 << 20,
		CPUTime:      90*time.Second + 1,
		OpenFiles:    30,
		FileSize:     64 << 10,
		CoreSize:     subprocess.NoCore,
		Processes:    5000,
	}, script)
	cmd.Host = hostWith(t, runtime.LimitWatch)
	r := run(t, cmd)
	if got, want := strings.TrimSpace(string(r.Stdout)), "524288 524288 91 92 30 30 64 64 0 0 5000 5000"; got != want {
		t.Errorf("limits %q, want %q: %s", got, want, r.Stderr)
	}
	if r := run(t, subprocess.Shell("ulimit -n; ulimit -t")); strings.HasPrefix(string(r.Stdout), "30\n") || strings.HasSuffix(string(r.Stdout), "91\n") {
		t.Errorf("a limit of another command holds here: %s", r.Stdout)
	}
}

// hostWith starts a host that holds commands to their memory in a way that this machine has.
func hostWith(t *testing.T, by runtime.Limiter) *runtime.Host {
	t.Helper()
	h, err := runtime.Start(runtime.Config{Limiter: by})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	if inForce, why := h.Limiter(); inForce != by {
		t.Skipf("not on this machine: %v", why)
	}
	return h
}

// A command that has more memory than it may, by a child that has left its session, is
// killed with all of that, and the error tells so.
func TestMemory(t *testing.T) {
	for _, by := range []runtime.Limiter{runtime.LimitCgroup, runtime.LimitWatch} {
		t.Run(by.String(), func(t *testing.T) {
			const limit = 64 << 20
			cmd := limited(subprocess.Limits{Memory: limit}, "echo begun; echo words >&2; setsid dd if=/dev/zero of=/dev/null bs=160M 2>/dev/null & sleep 1000")
			cmd.Host = hostWith(t, by)
			r, err := subprocess.Run(soon(t), cmd)
			var over *subprocess.MemoryError
			if !errors.As(err, &over) {
				t.Fatalf("%v, %+v", err, r)
			}
			if over.Err.Limit != limit || over.Err.Used < limit*9/10 || over.Err.PID != r.PID || string(over.Result.Stdout) != "begun\n" {
				t.Errorf("%+v, %+v", *over.Err, over.Result)
			}
			if text := err.Error(); !strings.Contains(text, "Limits.Memory is 67108864") || !strings.HasSuffix(text, ": words") {
				t.Error(text)
			}
			cmd = limited(subprocess.Limits{Memory: limit}, "exec dd if=/dev/zero bs=16M count=1 | wc -c")
			cmd.Host, cmd.Check = hostWith(t, by), true
			if r := run(t, cmd); string(r.Stdout) != "16777216\n" {
				t.Errorf("within the limit: %+v", r)
			}
		})
	}
}

// What happens at the limits.
func TestLimitsReached(t *testing.T) {
	t.Run("CPUTime", func(t *testing.T) {
		r := run(t, limited(subprocess.Limits{CPUTime: time.Millisecond, CoreSize: subprocess.NoCore}, "while :; do :; done"))
		if r.Exit.Kind != reactor.Signalled || r.Exit.Signal != syscall.SIGXCPU {
			t.Error(r.Exit)
		}
	})
	t.Run("CPUTime that is ignored", func(t *testing.T) {
		r := run(t, limited(subprocess.Limits{CPUTime: time.Second}, "trap '' XCPU; while :; do :; done"))
		if r.Exit.Kind != reactor.Signalled || r.Exit.Signal != syscall.SIGKILL {
			t.Error(r.Exit)
		}
	})
	t.Run("FileSize", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		r := run(t, limited(subprocess.Limits{FileSize: 5000, CoreSize: subprocess.NoCore}, `exec head -c 100000 /dev/zero >"$1"`, file))
		if r.Exit.Kind != reactor.Signalled || r.Exit.Signal != syscall.SIGXFSZ {
			t.Error(r.Exit)
		}
		if info, err := os.Stat(file); err != nil || info.Size() != 5000 {
			t.Error(info.Size(), err)
		}
	})
	t.Run("OpenFiles", func(t *testing.T) {
		cmd := limited(subprocess.Limits{OpenFiles: 8}, "exec cat /dev/null 3</dev/null 4<&3 5<&3 6<&3 7<&3")
		if r := run(t, cmd); r.Exit.Code == 0 || len(r.Stderr) == 0 {
			t.Errorf("%v: %s", r.Exit, r.Stderr)
		}
	})
	t.Run("AddressSpace", func(t *testing.T) {
		cmd := limited(subprocess.Limits{AddressSpace: 64 << 20}, "exec head -c 300M /dev/zero | exec tail -n 1")
		if r := run(t, cmd); r.Exit.Code == 0 || len(r.Stdout) > 64<<20 {
			t.Errorf("%v, %d bytes: %s", r.Exit, len(r.Stdout), r.Stderr)
		}
	})
}

// Streams, timeouts and kills of a command with limits are those of any.
func TestLimitedCommand(t *testing.T) {
	limits := subprocess.Limits{OpenFiles: 64}
	cmd := limited(limits, "cat; kill -STOP $$; echo on")
	cmd.Stdin = subprocess.Bytes([]byte("in\n"))
	p, err := subprocess.Start(soon(t), cmd)
	if err != nil {
		t.Fatal(err)
	}
	for stopped := false; !stopped; time.Sleep(time.Millisecond) {
		status, err := os.ReadFile("/proc/" + strconv.Itoa(p.PID()) + "/status")
		if err != nil {
			t.Fatal(err)
		}
		stopped = strings.Contains(string(status), "T (stopped)")
	}
	if err := p.Continue(); err != nil {
		t.Fatal(err)
	}
	r, err := p.Communicate(soon(t), nil)
	if err != nil || string(r.Stdout) != "in\non\n" {
		t.Errorf("%q, %v", r.Stdout, err)
	}
	_ = p.Release()

	stubborn := limited(limits, "trap '' TERM; echo up; sleep 1000 & wait; sleep 1000")
	if r, _ := timedOut(t, stubborn, 100*time.Millisecond); r.Exit.Signal != syscall.SIGKILL {
		t.Error(r.Exit)
	}
}

func TestLimitErrors(t *testing.T) {
	for field, limits := range map[string]subprocess.Limits{
		"Limits.Memory":       {Memory: -1},
		"Limits.AddressSpace": {AddressSpace: -1},
		"Limits.CPUTime":      {CPUTime: -time.Second},
		"Limits.OpenFiles":    {OpenFiles: -1},
		"Limits.FileSize":     {FileSize: -1},
		"Limits.CoreSize":     {CoreSize: -2},
		"Limits.Processes":    {Processes: -1},
	} {
		cmd := subprocess.Command("true")
		cmd.Limits = limits
		_, err := subprocess.Run(soon(t), cmd)
		var config *subprocess.ConfigError
		if !errors.As(err, &config) || config.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	missing := limited(subprocess.Limits{OpenFiles: 20}, "")
	missing.Args = []string{"/no/such/program"}
	if _, err := subprocess.Run(soon(t), missing); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	help(t, "hardlimit")
}

func init() { helpers["hardlimit"] = hardLimit }

// hardLimit: a limit above this program's own cannot be set, unless it is privileged.
func hardLimit() {
	own := syscall.Rlimit{Cur: 100, Max: 100}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &own); err != nil {
		fail("%v", err)
	}
	higher := own
	higher.Max++
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &higher) == nil {
		return
	}
	cmd := subprocess.Shell("echo began")
	cmd.Limits.OpenFiles = 101
	r, err := subprocess.Run(context.Background(), cmd)
	var limit *subprocess.LimitError
	if !errors.As(err, &limit) || !errors.Is(err, syscall.EPERM) || limit.Limit != "OpenFiles" || limit.Value != 101 || len(r.Stdout) > 0 {
		fail("%v, %s", err, r.Stdout)
	}
}

func BenchmarkLimits(b *testing.B) {
	for name, limits := range map[string]subprocess.Limits{"none": {}, "one": {OpenFiles: 64}} {
		b.Run(name, func(b *testing.B) {
			cmd := subprocess.Command("true")
			cmd.Limits = limits
			for b.Loop() {
				if _, err := subprocess.Run(b.Context(), cmd); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
