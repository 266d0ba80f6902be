package pool_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor/leaktest"
)

// This file is what the tests of both pools have in common: the program that
// they are, tasks, pools that check themselves, and waiting. What needs worker
// processes is in harness_unix_test.go.

// programKey names, in the environment, the program that this test binary is to
// be instead of the tests; see programs.
const programKey = "POOL_TEST_PROGRAM"

// programs are the mains of other programs that use package pool, each of which
// calls pool.Main or does not. Its workers are the same program, as they would
// be in life.
var programs = map[string]func(){}

func TestMain(m *testing.M) {
	// Under the race detector a process takes a second to exit, unless this is
	// set. Workers inherit it.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	if main, ok := programs[os.Getenv(programKey)]; ok {
		main()
		os.Exit(0)
	}
	pool.Main()
	_ = flag.Set("test.parallel", "8") // these wait for the clock, which they may do together
	leaktest.Main(m)
}

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

// none is the argument or the result of a task that has none.
type none = struct{}

// appendTo is the argument of appendLine.
type appendTo struct{ File, Line string }

// errTest is an error that host and workers know.
var errTest = pool.RegisterError(errors.New("the test's own error"))

var (
	echo   = pool.NewTask("echo", func(_ context.Context, s string) (string, error) { return s, nil })
	double = pool.NewTask("double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })
	length = pool.NewTask("length", func(_ context.Context, b []byte) (int, error) { return len(b), nil })
	fill   = pool.NewTask("fill", func(_ context.Context, n int) ([]byte, error) { return make([]byte, n), nil })
	// sleep heeds its context.
	sleep = pool.NewTask("sleep", func(ctx context.Context, d time.Duration) (none, error) {
		select {
		case <-time.After(d):
			return none{}, nil
		case <-ctx.Done():
			return none{}, ctx.Err()
		}
	})
	// sleepOn ignores its context.
	sleepOn = pool.NewTask("sleepOn", func(_ context.Context, d time.Duration) (none, error) {
		time.Sleep(d)
		return none{}, nil
	})
	// untilCancelled returns a value when its context has ended.
	untilCancelled = pool.NewTask("untilCancelled", func(ctx context.Context, _ none) (string, error) {
		<-ctx.Done()
		return ctx.Err().Error(), nil
	})
	// spin never ends and never yields.
	spin = pool.NewTask("spin", func(context.Context, none) (none, error) {
		for n := 0; ; n++ {
		}
	})
	fail = pool.NewTask("fail", func(_ context.Context, s string) (none, error) {
		return none{}, errors.New(s)
	})
	failKnown = pool.NewTask("failKnown", func(context.Context, none) (none, error) { return none{}, errTest })
	panics    = pool.NewTask("panics", func(_ context.Context, s string) (none, error) { panic(s) })
	goexit    = pool.NewTask("goexit", func(context.Context, none) (none, error) {
		runtime.Goexit()
		return none{}, nil
	})
	// appendLine appends a line to a file, in one write.
	appendLine = pool.NewTask("appendLine", func(_ context.Context, to appendTo) (none, error) {
		return none{}, appendToFile(to.File, to.Line)
	})
)

func appendToFile(name, line string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line + "\n")
	return errors.Join(err, f.Close())
}

// lines returns the lines of a file; none, if there is no file.
func lines(t testing.TB, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.FieldsFunc(string(data), func(r rune) bool { return r == '\n' })
}

// lockedBuffer is a buffer that several may write to.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// newGoroutinePool makes a pool that is closed, and checked, after the test.
func newGoroutinePool(t testing.TB, config pool.Config) *pool.GoroutinePool {
	t.Helper()
	p, err := pool.NewGoroutinePool(config)
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, p)
	return p
}

// closeAfter closes the pool after the test, by force if the test failed, and
// checks that the figures add up then.
func closeAfter(t testing.TB, p pool.Pool) {
	t.Cleanup(func() {
		mode := pool.Drain
		if t.Failed() {
			mode = pool.Kill
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := p.Shutdown(ctx, mode); err != nil {
			t.Errorf("close the pool: %v (%+v)", err, p.Stats())
		}
		s := p.Stats()
		if s.Settled() != s.Submitted || s.Queued != 0 || s.Running != 0 || s.Busy != 0 {
			t.Errorf("the closed pool's figures do not add up: %+v", s)
		}
	})
}

// result waits for a future, with patience.
func result[T any](t testing.TB, f *futures.Future[T]) (T, error) {
	t.Helper()
	awaitSettled(t, f)
	return f.Result(context.Background())
}

// value waits for a future that must succeed.
func value[T any](t testing.TB, f *futures.Future[T]) T {
	t.Helper()
	v, err := result(t, f)
	if err != nil {
		t.Fatalf("the task failed: %v", err)
	}
	return v
}

// failure waits for a future that must fail with an error of type E.
func failure[E error, T any](t testing.TB, f *futures.Future[T]) E {
	t.Helper()
	v, err := result(t, f)
	e, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("got value %v, error %T: %v; want %T", v, err, err, e)
	}
	return e
}

// awaitSettled waits for a future of any type, with patience.
func awaitSettled(t testing.TB, f futures.Awaitable) {
	t.Helper()
	select {
	case <-f.Done():
	case <-time.After(patience):
		t.Fatalf("a future is still %v after %v", f.State(), patience)
	}
}

// eventually waits until a condition holds, with patience.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v still not: %s", patience, what)
		}
	}
}

// running waits until a future's task has begun.
func running[T any](t testing.TB, f *futures.Future[T]) *futures.Future[T] {
	t.Helper()
	eventually(t, "the task has begun", func() bool { return f.State() == futures.Running })
	return f
}
