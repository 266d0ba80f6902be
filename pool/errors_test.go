package pool_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime/worker"
)

var (
	aRun    = pool.Run{Task: "isPrime", Worker: 3, PID: 4711, Elapsed: 1500 * time.Millisecond}
	aThread = pool.Run{Task: "isPrime", Worker: 3, Elapsed: 1500 * time.Millisecond}
	aKill   = reactor.Exit{Kind: reactor.Signalled, Signal: syscall.SIGKILL}
	errOwn  = errors.New("the task's own words")
)

// TestErrorTexts: what happened, to which task and process, after how long, and
// why, in the words that people read.
func TestErrorTexts(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"timeout": {
			&pool.TimeoutError{Run: aRun, Limit: time.Second},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: over its limit of 1s; the worker was killed and replaced`,
		},
		"timeout of one that gave up": {
			&pool.TimeoutError{Run: aRun, Limit: time.Second, Err: errOwn},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: over its limit of 1s, and gave up: the task's own words`,
		},
		"timeout of a goroutine": {
			&pool.TimeoutError{Run: aThread, Limit: time.Second},
			`task "isPrime" on worker 3 after 1.5s: over its limit of 1s; its goroutine cannot be killed and was abandoned`,
		},
		"silence": {
			&pool.SilenceError{Run: aRun, Limit: time.Second},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: no sign of life for 1s; the worker was killed and replaced`,
		},
		"time in the queue": {
			&pool.QueueTimeoutError{Task: "isPrime", Waited: 1500 * time.Millisecond, Limit: time.Second},
			`task "isPrime": no worker has begun it for 1.5s, over its limit of 1s`,
		},
		"killed": {
			&pool.KilledError{Run: aRun},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: killed by Future.Kill`,
		},
		"killed for its caller": {
			&pool.KilledError{Run: aRun, Cause: context.Canceled, Err: errOwn},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: killed, because: context canceled; it gave up by itself: the task's own words`,
		},
		"attempts that are used up": {
			&pool.RetryError{Run: aRun, Attempts: []pool.Attempt{{Run: aThread, Err: errTest}, {Run: aRun, Err: errOwn}}},
			`attempts that failed: 2; the last: the task's own words`,
		},
		"attempts that were cut short": {
			&pool.RetryError{Run: aRun, Attempts: []pool.Attempt{{Run: aRun, Err: errOwn}}, Cause: pool.ErrShutdown},
			`attempts that failed: 1; the last: the task's own words; it was not tried again, because: the pool was shut down`,
		},
		"quarantine": {
			&pool.QuarantineError{Run: aRun, Workers: 3, Attempts: []pool.Attempt{{Run: aRun, Err: errOwn}}, Argument: 12, Err: errOwn},
			`task "isPrime" is quarantined: of the last 3 workers each ended with it, in 1 attempts or when it was next (its argument has 12 bytes); the last one: the task's own words`,
		},
		"an outsider's signal": {
			&pool.WorkerError{Run: aRun, Exit: aKill},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: the worker was ` + aKill.String() + `: it crashed, or somebody outside this pool killed it (an operator, another program)`,
		},
		"its own exit": {
			&pool.WorkerError{Run: aRun, Exit: reactor.Exit{Kind: reactor.Exited, Code: 3}, Stderr: "one\ntwo\n"},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: the worker exited with code 3: the task, or something that it called, ended the process, as os.Exit and an unrecovered panic in another goroutine do` +
				"\n\tits standard error ended with:\n\t| one\n\t| two",
		},
		"a broken protocol": {
			&pool.WorkerError{Run: aRun, Exit: aKill, Err: &worker.ProtocolError{Worker: 3, Err: errOwn}},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: the worker was ` + aKill.String() + `, because: worker 3 sent what no worker sends and is no longer trusted: the task's own words`,
		},
		"memory": {
			&pool.WorkerError{Run: aRun, Exit: aKill, Err: &pool.MemoryError{Run: aRun, Limit: 50, Used: 60, Err: &actors.MemoryError{PID: 4711, Limit: 50, Used: 60}}},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: the worker was ` + aKill.String() + `, because: it and what it had started had 60 bytes of memory, and Limits.Memory is 50: its host, which looks at it, has killed them`,
		},
		"a task's processor time": {
			&pool.ExcessError{Run: aRun, Why: &pool.CPUTimeError{Used: 1234567 * time.Microsecond, Limit: time.Second, Option: "WithCPUTime"}},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: its worker was over a limit of the task: it had used 1.235s of CPU time since the task began, and WithCPUTime is 1s; the worker was killed and replaced`,
		},
		"a task's memory": {
			&pool.ExcessError{Run: aRun, Why: &pool.MemoryError{Run: aRun, Limit: 50, Used: 60, Option: "WithMemory"}, Err: errOwn},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: its worker was over a limit of the task: it had 60 bytes of memory more than when the task began, and WithMemory is 50, and gave up: the task's own words`,
		},
		"the machine's memory": {
			&pool.WorkerError{Run: aRun, Exit: aKill, Err: &pool.OutOfMemoryError{PID: 4711, Source: "/proc/vmstat", Killed: 1}},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: the worker was ` + aKill.String() + `, because: process 4711 was killed, probably by the kernel, which was out of memory: since its start oom_kill in /proc/vmstat has risen by 1`,
		},
		"panic": {
			&pool.PanicError{Run: aRun, Value: "index out of range", Stack: "goroutine 1"},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: panic: index out of range`,
		},
		"its own error": {
			&pool.TaskError{Run: aRun, Err: errOwn},
			`task "isPrime" on worker 3 (pid 4711) after 1.5s: the task's own words`,
		},
		"codec": {
			&pool.CodecError{Run: pool.Run{Task: "isPrime"}, Op: "encode", What: "argument", Type: "chan int", Err: errOwn},
			`task "isPrime": cannot encode its argument of type chan int: the task's own words`,
		},
		"broken": {
			&pool.BrokenError{Err: errOwn, Stderr: "no licence\n"},
			"the pool is broken: the task's own words\n\tits standard error ended with:\n\t| no licence",
		},
		"too large for the queue": {
			&pool.QueueBytesError{Task: "isPrime", Size: 300, Limit: 200},
			`task "isPrime": its argument of 300 bytes is larger than the whole queue, Config.QueueBytes, 200: raise that, or pass less`,
		},
		"config": {
			&pool.ConfigError{Field: "Workers", Reason: "-1 is negative"},
			"pool: Workers: -1 is negative",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.err.Error(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestErrorMatches: which errors.Is finds in which, and which it does not.
func TestErrorMatches(t *testing.T) {
	all := []error{
		context.DeadlineExceeded, context.Canceled, io.EOF, errOwn, pool.ErrKilled, pool.ErrWorkerDied, pool.ErrShutdown,
		pool.ErrBroken, pool.ErrClosed, pool.ErrQueueFull, pool.ErrGoexit, pool.ErrUnknownTask, pool.ErrNoMain,
	}
	for name, c := range map[string]struct {
		err     error
		matches []error
	}{
		"timeout":        {&pool.TimeoutError{}, []error{context.DeadlineExceeded}},
		"gave up":        {&pool.TimeoutError{Err: errOwn}, []error{context.DeadlineExceeded, errOwn}},
		"killed":         {&pool.KilledError{}, []error{pool.ErrKilled}},
		"killed, caller": {&pool.KilledError{Cause: context.Canceled, Err: errOwn}, []error{pool.ErrKilled, context.Canceled, errOwn}},
		"killed, close":  {&pool.KilledError{Cause: pool.ErrShutdown}, []error{pool.ErrKilled, pool.ErrShutdown}},
		"worker died":    {&pool.WorkerError{}, []error{pool.ErrWorkerDied}},
		"worker lied":    {&pool.WorkerError{Err: errOwn}, []error{pool.ErrWorkerDied, errOwn}},
		"panic":          {&pool.PanicError{}, nil},
		"task":           {&pool.TaskError{Err: io.EOF}, []error{io.EOF}},
		"goexit":         {&pool.TaskError{Err: pool.ErrGoexit}, []error{pool.ErrGoexit}},
		"codec":          {&pool.CodecError{Err: errOwn}, []error{errOwn}},
		"broken":         {&pool.BrokenError{Err: pool.ErrNoMain}, []error{pool.ErrBroken, pool.ErrNoMain}},
		"shutdown":       {&pool.ShutdownError{Cause: context.DeadlineExceeded}, []error{context.DeadlineExceeded}},
		"config":         {&pool.ConfigError{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, target := range all {
				want := false
				for _, m := range c.matches {
					want = want || m == target
				}
				if got := errors.Is(c.err, target); got != want {
					t.Errorf("errors.Is %v: %t", target, got)
				}
			}
		})
	}
	var timeout interface{ Timeout() bool }
	if !errors.As(error(&pool.TimeoutError{}), &timeout) || !timeout.Timeout() {
		t.Error("a TimeoutError is none to package net")
	}
}

// TestStderrExcerpt is SEC-18: what a worker wrote cannot act on the terminal
// that shows the error, and cannot drown it. The field has it as it was.
func TestStderrExcerpt(t *testing.T) {
	const raw = "\x1b[2J\x1b]0;owned\x07 red\r\nDEL \x7f CSI \u009b end\tof line\n\xff\xfe"
	err := &pool.WorkerError{Run: aRun, Stderr: raw}
	text := err.Error()
	for _, r := range text {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			t.Errorf("SEC-18: %q is in %q", r, text)
		}
	}
	if !strings.Contains(text, "owned") || !strings.Contains(text, "end\tof line") || err.Stderr != raw {
		t.Errorf("SEC-18: got %q", text)
	}

	long := strings.Repeat("a line of a log that has gone on for long\n", 400) + "the last line\n"
	text = (&pool.WorkerError{Run: aRun, Stderr: long}).Error()
	if len(text) > 3<<10 || !strings.HasSuffix(text, "| the last line") || !strings.Contains(text, "\n\t| a line of a log that") {
		t.Errorf("got %d bytes: %s", len(text), text)
	}
	text = (&pool.BrokenError{Err: errOwn, Stderr: strings.Repeat("x", 100_000)}).Error()
	if len(text) > 3<<10 {
		t.Errorf("got %d bytes of one line", len(text))
	}
}

// TestHistoryIsPrinted: %+v tells of each attempt, with its stack.
func TestHistoryIsPrinted(t *testing.T) {
	history := []pool.Attempt{
		{Run: aRun, Err: &pool.TimeoutError{Run: aRun, Limit: time.Second, Stack: "goroutine 1"}},
		{Run: aRun, Err: &pool.PanicError{Run: aRun, Value: "shaken", Stack: "goroutine 2"}},
	}
	for _, err := range []error{
		&pool.RetryError{Run: aRun, Attempts: history},
		&pool.QuarantineError{Run: aRun, Attempts: history, Err: errOwn},
	} {
		text := fmt.Sprintf("%+v", err)
		for _, word := range []string{err.Error(), "attempt 1: ", "over its limit", "goroutine 1", "attempt 2: ", "shaken", "goroutine 2"} {
			if !strings.Contains(text, word) {
				t.Errorf("it does not tell %q: %s", word, text)
			}
		}
		if text := fmt.Sprintf("%v", err); text != err.Error() {
			t.Errorf("got %s", text)
		}
	}
}
