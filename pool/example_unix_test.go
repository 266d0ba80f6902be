//go:build unix

package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"strings"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// What follows are the tasks of the examples. Godoc shows the examples without
// them, so that each says what its task does.

var errNegative = pool.RegisterError(errors.New("negative number"))

var sqrt = pool.NewTask("sqrt", func(_ context.Context, x float64) (float64, error) {
	if x < 0 {
		return 0, fmt.Errorf("sqrt(%v): %w", x, errNegative)
	}
	return math.Sqrt(x), nil
})

var hang = pool.NewTask("hang", func(context.Context, string) (string, error) {
	select {}
})

// Copied is what copyFiles reports.
type Copied struct {
	Files int
	Last  string
}

var copyFiles = pool.NewTask("copyFiles", func(ctx context.Context, names []string) (int, error) {
	for i, name := range names {
		if err := pool.Report(ctx, Copied{Files: i + 1, Last: name}); err != nil {
			return i, err
		}
	}
	return len(names), nil
})

var crunch = pool.NewTask("crunch", func(ctx context.Context, rounds int) (int, error) {
	for range rounds {
		pool.Heartbeat(ctx)
	}
	return rounds, nil
})

func ExampleTask_Start() {
	ctx := context.Background()
	p, err := sqrt.Start(ctx, 2, pool.ProcessConfig{Name: "root of two"})
	if err != nil {
		log.Fatal(err)
	}
	root, err := p.Future().Result(ctx)
	if err != nil {
		log.Fatal(err)
	}
	exit, err := p.Wait(ctx)
	fmt.Printf("%.3f by %s, which %v, %v\n", root, p.Name(), exit, err)
	// Output: 1.414 by root of two, which exited with code 0, <nil>
}

func ExampleNewTask() {
	// A package variable of a program whose main function begins with pool.Main():
	//
	//	var square = pool.NewTask("square", func(_ context.Context, n int) (int, error) {
	//		return n * n, nil
	//	})
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	v, err := square.Submit(context.Background(), p, 12).Result(context.Background())
	fmt.Println(v, err)
	// Output: 144 <nil>
}

// words is a state: what it takes long to make, each worker makes once.
var words = pool.NewState("words", func(_ context.Context, text string) (map[string]int, error) {
	positions := make(map[string]int)
	for i, word := range strings.Fields(text) {
		positions[word] = i
	}
	return positions, nil
}, nil)

var positionOf = pool.NewTask("positionOf", func(ctx context.Context, word string) (int, error) {
	positions, err := words.From(ctx)
	return positions[word], err
})

func ExampleNewState() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1, Initializer: words.With("a stint is a fixed period of work")})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	fmt.Println(positionOf.Submit(context.Background(), p, "period").Result(context.Background()))
	// Output: 5 <nil>
}

// Each worker runs three tasks and is replaced.
func ExampleRecycle() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1, Recycle: pool.Recycle{Tasks: 3}})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	for n := range 9 {
		if _, err := square.Submit(context.Background(), p, n).Result(context.Background()); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(p.Stats().Started >= 3)
	// Output: true
}

// The same task runs on either kind of pool.
func ExampleTask_Submit() {
	processes, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer processes.Close()
	goroutines, err := pool.NewGoroutinePool(pool.Config{Workers: 100})
	if err != nil {
		log.Fatal(err)
	}
	defer goroutines.Close()

	ctx := context.Background()
	for _, p := range []pool.Pool{processes, goroutines} {
		fmt.Println(square.Submit(ctx, p, 12).Result(ctx))
	}
	// Output:
	// 144 <nil>
	// 144 <nil>
}

// Futures of any types can be read together, as they complete.
func ExampleNewProcessPool() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	fs := []futures.Awaitable{
		square.Submit(ctx, p, 12),
		sqrt.Submit(ctx, p, 2.25),
	}
	for f := range futures.AsCompleted(ctx, fs) {
		fmt.Println(f.State(), f.Err(ctx))
	}
	// Output:
	// succeeded <nil>
	// succeeded <nil>
}

// A task that hangs is killed at its limit. The others notice nothing.
func ExampleWithTimeout() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1, Grace: pool.NoGrace})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	hung := hang.Submit(ctx, p, "for ever", pool.WithTimeout(50*time.Millisecond))
	next := square.Submit(ctx, p, 12)

	_, err = hung.Result(ctx)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	fmt.Println(next.Result(ctx))
	// Output:
	// true
	// 144 <nil>
}

// A task that no worker begins in time is cancelled.
func ExampleWithQueueTimeout() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1, Grace: pool.NoGrace})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	hung := hang.Submit(ctx, p, "for ever")
	defer hung.Kill()
	next := square.Submit(ctx, p, 12, pool.WithQueueTimeout(50*time.Millisecond))

	_, err = next.Result(ctx)
	_, late := errors.AsType[*pool.QueueTimeoutError](err)
	fmt.Println(late, next.State())
	// Output: true cancelled
}

// A task may run for as long as it shows that it lives.
func ExampleHeartbeat() {
	//	var crunch = pool.NewTask("crunch", func(ctx context.Context, rounds int) (int, error) {
	//		for range rounds {
	//			pool.Heartbeat(ctx)
	//			…
	//		}
	//		return rounds, nil
	//	})
	p, err := pool.NewProcessPool(pool.Config{Workers: 1, SilenceTimeout: time.Second})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	fmt.Println(crunch.Submit(ctx, p, 5).Result(ctx))

	_, err = hang.Submit(ctx, p, "silently", pool.WithSilenceTimeout(50*time.Millisecond)).Result(ctx)
	_, silent := errors.AsType[*pool.SilenceError](err)
	fmt.Println(silent)
	// Output:
	// 5 <nil>
	// true
}

// A task tells how far it has come.
func ExampleReport() {
	//	var copyFiles = pool.NewTask("copyFiles", func(ctx context.Context, names []string) (int, error) {
	//		for i, name := range names {
	//			…
	//			if err := pool.Report(ctx, Copied{Files: i + 1, Last: name}); err != nil {
	//				return i, err
	//			}
	//		}
	//		return len(names), nil
	//	})
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	told := make(chan Copied, 3)
	f := copyFiles.Submit(ctx, p, []string{"a", "b", "c"}, pool.WithProgress(func(c Copied) { told <- c }))
	fmt.Println(f.Result(ctx))
	fmt.Println(pool.Progress[Copied](f))
	for c := range told {
		if c.Files == 3 { // of what came before, the latest was told
			fmt.Println("told", c)
			break
		}
	}
	// Output:
	// 3 <nil>
	// {3 c} <nil>
	// told {3 c}
}

func ExampleTimeoutError() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1, TaskTimeout: 50 * time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	_, err = hang.Submit(ctx, p, "for ever").Result(ctx)
	if timeout, ok := errors.AsType[*pool.TimeoutError](err); ok {
		fmt.Printf("%s was over its limit of %v\n", timeout.Task, timeout.Limit)
	}
	// Output: hang was over its limit of 50ms
}

// Cancel withdraws a task that has not begun. Kill ends one that has.
func ExampleKilledError() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	hung := hang.Submit(ctx, p, "for ever")
	for hung.State() != futures.Running {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("cancelled:", hung.Cancel())
	fmt.Println("killed:", hung.Kill())

	_, err = hung.Result(ctx)
	_, isKilled := errors.AsType[*pool.KilledError](err)
	fmt.Println(isKilled, errors.Is(err, pool.ErrKilled))
	// Output:
	// cancelled: false
	// killed: true
	// true true
}

// A shutdown waits for what was accepted, but not for ever.
func ExampleProcessPool_Shutdown() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	hung := hang.Submit(context.Background(), p, "for ever")
	for hung.State() != futures.Running {
		time.Sleep(time.Millisecond)
	}
	waits := square.Submit(context.Background(), p, 13)

	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	err = p.Shutdown(ctx, pool.Drain)
	fmt.Println(err)
	fmt.Println(hung.State(), waits.State())
	// Output:
	// the shutdown ran out of time (context deadline exceeded): tasks killed: 1, cancelled: 1
	// failed cancelled
}

// A closure needs no name, since it stays in this process.
func ExampleGo() {
	p, err := pool.NewGoroutinePool(pool.Config{Workers: 10})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	greeting := "hello"
	f := pool.Go(ctx, p, func(context.Context) (string, error) {
		return greeting + ", world", nil
	})
	fmt.Println(f.Result(ctx))
	// Output: hello, world <nil>
}

// An error from another process is text, but for those that both sides know.
func ExampleRegisterError() {
	// A package variable, and a task that wraps it:
	//
	//	var errNegative = pool.RegisterError(errors.New("negative number"))
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	_, err = sqrt.Submit(ctx, p, -1).Result(ctx)
	fmt.Println(errors.Unwrap(err))
	fmt.Println(errors.Is(err, errNegative))
	// Output:
	// sqrt(-1): negative number
	// true
}

func ExampleProcessPool_Events() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	events := p.Events(ctx) // from here on; as a rule a goroutine ranges over them
	square.Submit(ctx, p, 3)
	p.Close()
	for event := range events {
		switch e := event.(type) {
		case pool.TaskBegun:
			fmt.Println("job", e.Job, e.Task, "has begun")
		case pool.TaskSettled:
			fmt.Println("job", e.Job, e.Task, "is settled:", e.Err)
		case pool.WorkerExited:
			fmt.Println("worker", e.Worker, e.Exit, "for", e.Cause)
		}
	}
	// Output:
	// job 1 square has begun
	// job 1 square is settled: <nil>
	// worker 1 exited with code 0 for shutdown
}

var fetched int

// fetch fails twice: in a process pool each of its workers would count for itself.
var fetch = pool.NewTask("fetch", func(context.Context, string) (string, error) {
	if fetched++; fetched < 3 {
		return "", errors.New("connection refused")
	}
	return "the page", nil
})

// Only a declared retry runs again what has begun.
func ExampleWithRetry() {
	p, err := pool.NewGoroutinePool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	f := fetch.Submit(context.Background(), p, "http://example.org",
		pool.WithRetry(pool.Retry{Attempts: 5, On: pool.OnAny, Delay: time.Millisecond}))
	page, err := f.Result(context.Background())
	fmt.Println(page, err, "in attempt", f.Attempts())
	// Output: the page <nil> in attempt 3
}

// blur returns a picture as large as its argument, and neither is copied by the way.
var blur = pool.NewTask("blur", func(ctx context.Context, in *pool.Buffer) (*pool.Buffer, error) {
	out := pool.NewBuffer(ctx, in.Len())
	return out, out.Use(func(to []byte) error {
		return in.Use(func(from []byte) error {
			for i := range to {
				to[i] = from[i] / 2
			}
			return nil
		})
	})
})

func ExampleBuffer() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	picture := bytes.Repeat([]byte{200}, 4<<20)
	out, err := blur.Submit(context.Background(), p, pool.BufferOf(picture)).Result(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer out.Release()
	_ = out.Use(func(data []byte) error {
		fmt.Println(len(data), data[0])
		return nil
	})
	// Output: 4194304 100
}
