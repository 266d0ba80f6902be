//go:build unix

package pool_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/runtime/worker"
)

var (
	// nestedDeath runs a task that does not end well, and tells what it sees of that.
	nestedDeath = pool.NewTask("nestedDeath", func(ctx context.Context, way string) (string, error) {
		p, err := pool.From(ctx)
		if err != nil {
			return "", err
		}
		switch way {
		case "crash":
			err = crash.Submit(ctx, p, "a crash on purpose").Err(ctx)
			var died *pool.WorkerError
			if errors.As(err, &died) && errors.Is(err, pool.ErrWorkerDied) && died.Exit.Code == 2 && died.PID != os.Getpid() &&
				died.Exit.Usage != nil && strings.Contains(died.Stderr, "a crash on purpose") {
				return "as it was", nil
			}
		case "signal":
			err = killSelf.Submit(ctx, p, syscall.SIGKILL).Err(ctx)
			var died *pool.WorkerError
			if errors.As(err, &died) && died.Exit.Signal == syscall.SIGKILL {
				return "as it was", nil
			}
		case "hang":
			err = spin.Submit(ctx, p, none{}, pool.WithTimeout(50*time.Millisecond)).Err(ctx)
			var late *pool.TimeoutError
			if errors.As(err, &late) && late.PID > 0 && late.PID != os.Getpid() && !alive(late.PID) {
				return "as it was", nil
			}
		case "argument":
			type bad struct{ C chan int }
			err = pool.NewTask("unencodable", func(context.Context, bad) (none, error) { return none{}, nil }).Submit(ctx, p, bad{}).Err(ctx)
			var codec *pool.CodecError
			if errors.As(err, &codec) && codec.Op == "encode" && codec.What == "argument" && strings.HasSuffix(codec.Type, "bad") {
				return "as it was", nil
			}
		case "a large argument":
			err = length.Submit(ctx, p, make([]byte, 2<<20)).Err(ctx)
			var codec *pool.CodecError
			if errors.As(err, &codec) && strings.Contains(err.Error(), "Config.MaxPayload") {
				return "as it was", nil
			}
		case "a large result":
			err = fill.Submit(ctx, p, 2<<20).Err(ctx)
			var codec *pool.CodecError
			if errors.As(err, &codec) && codec.What == "result" && codec.Type == "[]uint8" {
				return "as it was", nil
			}
		}
		return fmt.Sprintf("%T: %v", err, err), nil
	})
	// nestedOwner tries what only the owner of a pool may do, and reads its figures.
	nestedOwner = pool.NewTask("nestedOwner", func(ctx context.Context, _ none) (pool.Stats, error) {
		p, err := pool.From(ctx)
		if err != nil {
			return pool.Stats{}, err
		}
		if !errors.Is(p.Close(), pool.ErrNotOwner) || !errors.Is(p.Shutdown(ctx, pool.Kill), pool.ErrNotOwner) {
			return pool.Stats{}, errors.New("a task may close its pool")
		}
		for range p.Events(ctx) {
			return pool.Stats{}, errors.New("there are events")
		}
		return p.Stats(), nil
	})
	// spreadBytes has as many pieces of so many bytes counted.
	spreadBytes = pool.NewTask("spreadBytes", func(ctx context.Context, size int) (total int, err error) {
		p, err := pool.From(ctx)
		if err != nil {
			return 0, err
		}
		var fs []*futures.Future[int]
		for range 30 {
			fs = append(fs, length.Submit(ctx, p, make([]byte, size)))
		}
		for _, f := range fs {
			n, err := f.Result(ctx)
			if err != nil {
				return 0, err
			}
			total += n
		}
		return total, nil
	})
	// tellAndWaitBelow tells its worker's pid, and waits for a task that passes a gate.
	tellAndWaitBelow = pool.NewTask("tellAndWaitBelow", func(ctx context.Context, to appendTo) (none, error) {
		p, err := pool.From(ctx)
		if err != nil {
			return none{}, err
		}
		if err := appendToFile(to.File, itoa(os.Getpid())); err != nil {
			return none{}, err
		}
		return hold.Submit(ctx, p, to.Line).Result(ctx)
	})
	// submitLate leaves a goroutine behind that submits when the task is over, and
	// tells in a file what it got.
	submitLate = pool.NewTask("submitLate", func(ctx context.Context, file string) (none, error) {
		p, err := pool.From(ctx)
		go func() {
			<-ctx.Done()
			free := context.WithoutCancel(ctx)
			_ = appendToFile(file, fmt.Sprint(errors.Is(echo.Submit(free, p, "").Err(free), pool.ErrNoTask)))
		}()
		return none{}, err
	})
)

// TestNestedDeath: a nested task that does not end well takes its own worker with
// it and no other, and the task that waits for it sees why.
func TestNestedDeath(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, MaxPayload: 1 << 20})
	before := workerPID(t, p)
	for _, way := range []string{"crash", "signal", "hang", "argument", "a large argument", "a large result"} {
		t.Run(way, func(t *testing.T) {
			if got := value(t, nestedDeath.Submit(t.Context(), p, way)); got != "as it was" {
				t.Error(got)
			}
		})
	}
	if after := workerPID(t, p); after != before {
		t.Logf("the worker was %d and is %d: another one took its place, as may be", before, after)
	}
	if s := p.Stats(); s.Lost != 2 || s.TimedOut != 1 {
		t.Errorf("%+v", s)
	}
}

func TestNestedOwner(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1})
	if s := value(t, nestedOwner.Submit(t.Context(), p, none{})); s.Workers != 1 || s.Busy != 1 || s.Submitted != 1 {
		t.Errorf("%+v", s)
	}
}

// TestNestedBytes: what a worker has submitted at a time is bounded, and whoever
// wants to submit more waits.
func TestNestedBytes(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 1, MaxPayload: 1 << 20})
	const size = 700 << 10 // with two of them at a time there would be too many
	if got := value(t, spreadBytes.Submit(t.Context(), p, size)); got != 30*size {
		t.Errorf("%d bytes", got)
	}
}

// TestNestedMany: more nested tasks than a worker may have submitted at a time.
func TestNestedMany(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2})
	const n = 5000
	if got := value(t, spread.Submit(t.Context(), p, n)); got != n*(n-1) {
		t.Errorf("got %d", got)
	}
	if s := p.Stats(); s.Started > 3+uint64(s.Spare) {
		t.Errorf("workers come and go: %+v", s)
	}
}

// TestNestedLate: a task that is over submits nothing.
func TestNestedLate(t *testing.T) {
	p, file := newProcessPool(t, pool.Config{Workers: 1}), t.TempDir()+"/late"
	value(t, submitLate.Submit(t.Context(), p, file))
	eventually(t, "the late one has been told", func() bool { return len(lines(t, file)) == 1 })
	if got := lines(t, file)[0]; got != "true" {
		t.Errorf("ErrNoTask: %s", got)
	}
}

// TestNestedWorkersLeave: workers that were started for nested tasks leave when
// they are not needed.
func TestNestedWorkersLeave(t *testing.T) {
	t.Parallel()
	p := newProcessPool(t, pool.Config{Workers: 1})
	if got := value(t, deepen.Submit(t.Context(), p, 5)); got != 5 {
		t.Errorf("%d calls", got)
	}
	if s := p.Stats(); s.Ready != 1 || s.Started < 6 {
		t.Errorf("%+v", s)
	}
	eventually(t, "they have left", func() bool { return p.Stats().Spare == 0 })
	before := p.Stats().Started
	if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 || p.Stats().Started != before {
		t.Errorf("got %d, %+v", got, p.Stats())
	}
}

// TestParentDies: the nested tasks of a task whose worker dies end.
func TestParentDies(t *testing.T) {
	p, g, file := newProcessPool(t, pool.Config{Workers: 1}), newGate(t), t.TempDir()+"/pid"
	f := tellAndWaitBelow.Submit(t.Context(), p, appendTo{file, g.address()})
	g.holds(t, 1)
	parent := atoi(lines(t, file)[0])
	send(t, parent, syscall.SIGKILL)
	if err := failure[*pool.WorkerError](t, f); err.PID != parent {
		t.Errorf("got %v, want that of worker %d", err, parent)
	}
	g.holds(t, 0)
	eventually(t, "the nested task is done", func() bool { return p.Stats().Settled() == 2 })
	if got := value(t, double.Submit(t.Context(), p, 4)); got != 8 {
		t.Errorf("afterwards: %d", got)
	}
}

// TestNestedBroken: when no further worker can be started a nested task fails, and
// nothing hangs.
func TestNestedBroken(t *testing.T) {
	startAs(t, "fails at times")
	failing := t.TempDir() + "/failing"
	t.Setenv(failingKey, failing)
	p := newProcessPool(t, pool.Config{Workers: 1, MaxFailures: 2, Logger: slog.New(slog.DiscardHandler)})
	if err := appendToFile(failing, "yes"); err != nil {
		t.Fatal(err)
	}
	f := deepen.Submit(t.Context(), p, 1)
	later := double.Submit(t.Context(), p, 4)
	matches(t, f, pool.ErrBroken)
	if got := value(t, later); got != 8 { // the worker that lives runs it
		t.Errorf("got %d", got)
	}
}

// TestForgedCalls: a worker that asks what no worker asks is replaced, and no
// other task is harmed.
func TestForgedCalls(t *testing.T) {
	const (
		kindCall = 15
		submit   = 1
	)
	call := func(op byte, about uint64, data string) []byte {
		return append(binary.LittleEndian.AppendUint64([]byte{op}, about), data...)
	}
	task := func(name, options, argument string) string {
		head := binary.LittleEndian.AppendUint16(nil, uint16(len(name)))
		return string(binary.LittleEndian.AppendUint16(head, uint16(len(options)))) + name + options + argument
	}
	const noOptions = "\xa0"
	good := frame(kindCall, 0, 1, call(submit, 1, task("sleepOn", noOptions, "\x1b\x00\x00\x03\x46\x30\xb8\xa0\x00")))
	for name, bytes := range map[string][]byte{
		"no payload":            frame(kindCall, 0, 1, nil),
		"an unknown operation":  frame(kindCall, 0, 1, call(77, 1, "")),
		"no number":             frame(kindCall, 0, 0, call(submit, 1, task("echo", noOptions, "\x60"))),
		"no slot":               frame(kindCall, 9999, 1, call(submit, 1, task("echo", noOptions, "\x60"))),
		"another's slot":        frame(kindCall, 7, 1, call(submit, 1, task("echo", noOptions, "\x60"))),
		"another's number":      frame(kindCall, 0, 1, call(submit, 2, task("echo", noOptions, "\x60"))),
		"no task":               frame(kindCall, 0, 1, call(submit, 1, "")),
		"no options":            frame(kindCall, 0, 1, call(submit, 1, task("echo", "", "\x60"))),
		"options that are none": frame(kindCall, 0, 1, call(submit, 1, task("echo", "\xff", "\x60"))),
		"a negative limit":      frame(kindCall, 0, 1, call(submit, 1, task("echo", "\xa1\x67Timeout\x20", "\x60"))),
		"a number twice":        append(append([]byte(nil), good...), good...),
		"a cancel without why":  frame(kindCall, 0, 1, call(5, 1, "")),
		"a reply":               frame(kindCall+1, 0, 1, []byte{0}),
	} {
		t.Run(name, func(t *testing.T) {
			p := hostilePool(t, 2)
			err := failure[*pool.WorkerError](t, writeRaw.Submit(t.Context(), p, bytes))
			var protocol *worker.ProtocolError
			if !errors.As(err, &protocol) || alive(err.PID) {
				t.Errorf("got %v", err)
			}
			for n := range 20 {
				if got := value(t, double.Submit(t.Context(), p, n)); got != 2*n {
					t.Errorf("double %d is %d", n, got)
				}
			}
		})
	}
	t.Run("too many", func(t *testing.T) {
		p := hostilePool(t, 2)
		var flood []byte
		for n := range uint64(1025) {
			flood = append(flood, frame(kindCall, 0, n+1, call(submit, 1, task("sleepOn", noOptions, "\x1b\x00\x00\x03\x46\x30\xb8\xa0\x00")))...)
		}
		err := failure[*pool.WorkerError](t, writeRaw.Submit(t.Context(), p, flood))
		if !strings.Contains(err.Error(), "more tasks at a time") {
			t.Errorf("got %v", err)
		}
		eventually(t, "what it submitted is gone", func() bool { s := p.Stats(); return s.Queued == 0 && s.Running == 1 })
	})
	t.Run("questions about nothing", func(t *testing.T) {
		p := hostilePool(t, 2)
		var questions []byte
		for op := byte(2); op <= 4; op++ {
			questions = append(questions, frame(kindCall, 0, uint64(op), call(op, 99, ""))...)
		}
		questions = append(questions, frame(kindCall, 0, 1, call(5, 99, "\x02"))...)
		if err := value(t, writeAndReturn.Submit(t.Context(), p, questions)); err != (none{}) {
			t.Error(err)
		}
	})
}
