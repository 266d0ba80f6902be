//go:build unix

package subprocess_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/subprocess"
)

func TestPipeline(t *testing.T) {
	first := subprocess.Command("cat")
	first.Stdin = subprocess.Bytes([]byte("b\na\nc\n"))
	rs, err := subprocess.Pipeline(soon(t), first, subprocess.Command("sort"), subprocess.Command("head", "-n", "2"))
	if err != nil || len(rs) != 3 || string(rs[2].Stdout) != "a\nb\n" {
		t.Fatalf("%v, %v", rs, err)
	}
	for i, r := range rs {
		if !r.Success() || !r.Complete {
			t.Errorf("stage %d: %v", i, r.Exit)
		}
	}
}

// PY-SP-18: a stage that ends is seen by its neighbours: by the next one as the end
// of its input, by the one before it as SIGPIPE, which is no failure.
func TestEarlyEnds(t *testing.T) {
	yes := subprocess.Command("yes")
	yes.Check = true
	rs, err := subprocess.Pipeline(soon(t), yes, subprocess.Command("head", "-n", "1"))
	if err != nil || string(rs[1].Stdout) != "y\n" || rs[0].Exit.Signal != syscall.SIGPIPE {
		t.Errorf("%v, %v", rs, err)
	}
	rs, err = subprocess.Pipeline(soon(t), subprocess.Command("true"), subprocess.Command("cat"), subprocess.Command("wc", "-c"))
	if err != nil || strings.TrimSpace(string(rs[2].Stdout)) != "0" {
		t.Errorf("%v, %v", rs, err)
	}
}

// The last stage that failed is the pipeline's failure.
func TestPipefail(t *testing.T) {
	fail := subprocess.Shell("cat; echo reason >&2; exit 3")
	fail.Check = true
	rs, err := subprocess.Pipeline(soon(t), fail, fail, subprocess.Command("cat"))
	var stage *subprocess.PipelineError
	var exit *subprocess.ExitError
	if !errors.As(err, &stage) || stage.Stage != 1 || !errors.As(err, &exit) || exit.Exit.Code != 3 {
		t.Error(err)
	}
	if len(rs) != 3 || string(rs[0].Stderr) != "reason\n" || !rs[2].Success() {
		t.Error(rs)
	}
}

// One timeout is for all, and so is the context's end.
func TestPipelineIsKilled(t *testing.T) {
	sleep := subprocess.Shell("sleep 1000 & wait")
	limited := sleep
	limited.Timeout = 50 * time.Millisecond
	rs, err := subprocess.Pipeline(soon(t), sleep, limited, sleep)
	if !errors.Is(err, context.DeadlineExceeded) || len(rs) != 3 {
		t.Error(err)
	}
	for _, r := range rs {
		if r.Exit.Signal != syscall.SIGTERM {
			t.Error(r.Exit)
		}
	}
	reason := errors.New("no more")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(reason) })
	if _, err := subprocess.Pipeline(ctx, sleep, sleep); !errors.Is(err, reason) {
		t.Error(err)
	}
}

// If one cannot start, none is left.
func TestPipelineWithoutStage(t *testing.T) {
	rs, err := subprocess.Pipeline(soon(t), subprocess.Command("sleep", "1000"), subprocess.Command("/no/such"), subprocess.Command("cat"))
	var stage *subprocess.PipelineError
	if !errors.As(err, &stage) || stage.Stage != 1 || !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if len(rs) != 3 || rs[0].Exit.Signal != syscall.SIGKILL {
		t.Error(rs)
	}
}

func TestPipelineConfig(t *testing.T) {
	ok := subprocess.Command("cat")
	in, out, pipe := ok, ok, ok
	in.Stdin, out.Stdout, pipe.Stderr = subprocess.Null, subprocess.Null, subprocess.Pipe
	for name, stages := range map[string][]subprocess.Cmd{
		"Stdin": {ok, in}, "Stdout": {out, ok}, "Stderr": {ok, pipe}, "Args": {},
	} {
		_, err := subprocess.Pipeline(soon(t), stages...)
		var config *subprocess.ConfigError
		if !errors.As(err, &config) || config.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}
