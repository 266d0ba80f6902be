package pool

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/actors"
	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/reactor"
	"github.com/stint-go/stint/runtime/worker"
)

// TestErrorsTravel: an error arrives as it was, with all its fields, or as a text
// that matches what it matched.
func TestErrorsTravel(t *testing.T) {
	run := Run{Task: "isPrime", Worker: 3, PID: 4711, Elapsed: time.Second}
	exit := reactor.Exit{PID: 4711, Kind: reactor.Signalled, Signal: syscall.SIGKILL, Usage: &reactor.Usage{MaxRSS: 5}}
	for name, err := range map[string]error{
		"timeout":     &TimeoutError{Run: run, Limit: time.Minute},
		"its own":     &TimeoutError{Run: run, Limit: time.Minute, Err: &TaskError{Run: run, Err: io.EOF}},
		"silence":     &SilenceError{Run: run, Limit: time.Minute},
		"killed":      &KilledError{Run: run, Cause: context.Canceled, Err: io.EOF},
		"worker":      &WorkerError{Run: run, Exit: exit, Stderr: "its last words\n"},
		"memory":      &WorkerError{Run: run, Exit: exit, Err: &MemoryError{Run: run, Limit: 5, Used: 6, Err: &actors.MemoryError{PID: 4711, Limit: 5, Used: 6, Killed: 1}}},
		"no memory":   &WorkerError{Run: run, Exit: exit, Err: &OutOfMemoryError{PID: 4711, Source: "/proc/vmstat", Killed: 1}},
		"CPU time":    &WorkerError{Run: run, Exit: exit, Err: &CPUTimeError{Used: 2 * time.Second, Limit: time.Second}},
		"excess":      &ExcessError{Run: run, Why: &CPUTimeError{Used: 2, Limit: 1, Option: "WithCPUTime"}, Err: io.EOF, Stack: "goroutine 1"},
		"growth":      &ExcessError{Run: run, Why: &MemoryError{Run: run, Used: 2, Limit: 1, Option: "WithMemory"}},
		"panic":       &PanicError{Run: run, Value: "1", Type: "int", Stack: "goroutine 1"},
		"codec":       &CodecError{Run: run, Op: "encode", What: "result", Type: "chan int", Err: io.EOF},
		"broken":      &BrokenError{Err: ErrClosed, Stderr: "words"},
		"nesting":     &NestingError{Task: "x", Depth: 5, Workers: 2, Nested: 3},
		"config":      &ConfigError{Field: "x", Reason: "y"},
		"cancelled":   &futures.CancelledError{Cause: &QueueTimeoutError{Task: "x", Limit: time.Second}},
		"retried":     &RetryError{Run: run, Attempts: []Attempt{{Run: run, Err: io.EOF}, {Run: run, Err: &TaskError{Run: run, Err: ErrGoexit}}}},
		"quarantine":  &QuarantineError{Run: run, Workers: 3, Argument: 5, Attempts: []Attempt{{Run: run, Err: io.EOF}}, Err: io.EOF},
		"a condition": ErrClosed,
	} {
		t.Run(name, func(t *testing.T) {
			got := unpackError(packError(err))
			if !reflect.DeepEqual(got, err) || got.Error() != err.Error() {
				t.Errorf("got  %#v\nwant %#v", got, err)
			}
		})
	}
	t.Run("of other packages", func(t *testing.T) {
		err := &WorkerError{Run: run, Err: &worker.ProtocolError{Worker: 3, Err: errors.Join(io.EOF, errors.New("own"))}}
		got := unpackError(packError(err))
		if died, ok := errors.AsType[*WorkerError](got); !ok || died.Run != run || got.Error() != err.Error() ||
			!errors.Is(got, ErrWorkerDied) || !errors.Is(got, io.EOF) || errors.Is(got, io.ErrUnexpectedEOF) {
			t.Errorf("got %#v", got)
		}
	})
	t.Run("too large", func(t *testing.T) {
		packed := packError(&WorkerError{Stderr: strings.Repeat("x", 2*worker.MaxReply)})
		if got := unpackError(packed); len(packed) > worker.MaxReply || len(got.Error()) > worker.MaxReply {
			t.Errorf("%d bytes: %.100s", len(packed), got)
		}
	})
	t.Run("too deep", func(t *testing.T) {
		err := io.EOF
		for range 100 {
			err = &TaskError{Run: run, Err: err}
		}
		if got := unpackError(packError(err)); !errors.Is(got, io.EOF) || got.Error() != err.Error() {
			t.Errorf("got %v", got)
		}
	})
}

func FuzzUnpackError(f *testing.F) {
	f.Add(packError(&WorkerError{Err: io.EOF, Stderr: "words"}))
	f.Add(packError(&KilledError{Cause: context.Canceled, Err: &TaskError{Err: io.EOF}}))
	f.Add(packError(io.EOF))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, packed []byte) {
		if err := unpackError(packed); err == nil || reflect.ValueOf(err).IsZero() {
			t.Errorf("no error of % x", packed)
		} else {
			_ = err.Error()
		}
	})
}
