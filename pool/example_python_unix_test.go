//go:build unix

package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// What docs/python.md names beyond the other examples. First the tasks and states.

var quit = pool.NewTask("quit", func(_ context.Context, code int) (int, error) {
	os.Exit(code)
	return 0, nil
})

var quotient = pool.NewTask("quotient", func(_ context.Context, p pool.Pair[int, int]) (int, error) {
	return p.First / p.Second, nil
})

var nap = pool.NewTask("nap", func(_ context.Context, d time.Duration) (int, error) {
	time.Sleep(d)
	return 0, nil
})

var runsHere int // each worker process has its own

var countRuns = pool.NewTask("countRuns", func(context.Context, string) (int, error) {
	runsHere++
	return runsHere, nil
})

var callIt = pool.NewTask("callIt", func(_ context.Context, f func()) (int, error) {
	f()
	return 0, nil
})

type tenantKey struct{}

var greet = pool.NewTask("greet", func(ctx context.Context, greeting string) (string, error) {
	return fmt.Sprintf("%s, %v", greeting, ctx.Value(tenantKey{})), nil
})

var factorial *pool.Task[int, int] // which refers to itself

func init() {
	pool.RegisterContextValue[string]("tenant", tenantKey{})
	factorial = pool.NewTask("factorial", func(ctx context.Context, n int) (int, error) {
		if n == 0 {
			return 1, nil
		}
		p, err := pool.From(ctx)
		if err != nil {
			return 0, err
		}
		below, err := factorial.Submit(ctx, p, n-1).Result(ctx)
		return n * below, err
	})
}

type ledger struct {
	name string
	sum  int
}

var ledgers = pool.NewState("ledgers", openLedger, closeLedger)

func openLedger(_ context.Context, name string) (*ledger, error) {
	fmt.Println("open", name)
	return &ledger{name: name}, nil
}

func closeLedger(_ context.Context, l *ledger) error {
	fmt.Println("close", l.name, "with", l.sum)
	return nil
}

var enter = pool.NewTask("enter", func(ctx context.Context, amount int) (int, error) {
	l, err := ledgers.From(ctx)
	if err != nil {
		return 0, err
	}
	l.sum += amount
	return l.sum, nil
})

// A callback gets the settled future: one function for result and error.
func ExampleTask_Submit_callback() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	called := make(chan struct{})
	square.Submit(ctx, p, 12).OnDone(func(f *futures.Future[int]) {
		defer close(called)
		fmt.Println(f.Result(ctx))
	})
	<-called
	// Output: 144 <nil>
}

// A pool that is not to wait: what runs is killed, what waits is cancelled.
func ExampleProcessPool_Shutdown_kill() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	hung := hang.Submit(ctx, p, "for ever")
	waits := square.Submit(ctx, p, 13)
	for hung.State() != futures.Running {
		time.Sleep(time.Millisecond)
	}

	fmt.Println(p.Shutdown(ctx, pool.Kill))
	fmt.Println(errors.Is(hung.Err(ctx), pool.ErrKilled), errors.Is(waits.Err(ctx), futures.ErrCancelled))
	// Output:
	// <nil>
	// true true
}

// What runs may finish, what waits is cancelled.
func ExampleGoroutinePool_Shutdown_cancelPending() {
	p, err := pool.NewGoroutinePool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	begun, finish := make(chan struct{}), make(chan struct{})
	runs := pool.Go(ctx, p, func(context.Context) (string, error) {
		close(begun)
		<-finish
		return "done", nil
	})
	<-begun
	waits := square.Submit(ctx, p, 13)
	waits.OnDone(func(*futures.Future[int]) { close(finish) })

	fmt.Println(p.Shutdown(ctx, pool.CancelPending))
	fmt.Println(runs.Result(ctx))
	fmt.Println(waits.State())
	// Output:
	// <nil>
	// done <nil>
	// cancelled
}

// A worker that dies takes its task with it, and no other. Nothing is broken.
func ExampleWorkerError() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	err = quit.Submit(ctx, p, 3).Err(ctx)
	if died, ok := errors.AsType[*pool.WorkerError](err); ok {
		fmt.Println(died.Task, died.Exit)
	}
	fmt.Println(square.Submit(ctx, p, 12).Result(ctx))
	// Output:
	// quit exited with code 3
	// 144 <nil>
}

// A panic has the worker's stack with it, which %+v prints. The worker lives on.
func ExamplePanicError() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	err = quotient.Submit(ctx, p, pool.Pair[int, int]{First: 1, Second: 0}).Err(ctx)
	if panicked, ok := errors.AsType[*pool.PanicError](err); ok {
		fmt.Println(panicked.Value, panicked.Stack != "")
	}
	// Output: runtime error: integer divide by zero true
}

// What cannot travel fails its own task.
func ExampleCodecError() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	err = callIt.Submit(ctx, p, func() {}).Err(ctx)
	if codec, ok := errors.AsType[*pool.CodecError](err); ok {
		fmt.Println(codec.Op, codec.What, codec.Type)
	}
	// Output: encode argument func()
}

// Each worker opens its state before its first task and closes it when it leaves.
// What it prints comes in whole lines.
func ExampleState() {
	// A package variable, and in the task:
	//
	//	var ledgers = pool.NewState("ledgers", openLedger, closeLedger)
	//	…
	//	l, err := ledgers.From(ctx)
	p, err := pool.NewProcessPool(pool.Config{
		Workers:     1,
		Initializer: ledgers.With("petty cash"),
		Stdout:      pool.NewLineWriter(func(l pool.Line) { fmt.Println("worker", l.Worker, "said:", l.Text) }),
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	sum := 0
	for _, amount := range []int{5, 10, 20} {
		if sum, err = enter.Submit(ctx, p, amount).Result(ctx); err != nil {
			log.Fatal(err)
		}
	}
	p.Close()
	fmt.Println(sum)
	// Output:
	// worker 1 said: open petty cash
	// worker 1 said: close petty cash with 35
	// 35
}

// Three tasks for each process, exactly.
func ExampleRecycle_tasks() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1, Recycle: pool.Recycle{Tasks: 3}})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	for range 7 {
		n, err := countRuns.Submit(ctx, p, "").Result(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(n, " ")
	}
	// Output: 1 2 3 1 2 3 1
}

// A pool for the whole program is made when it is needed first, and has no
// processes while there is nothing to do.
func ExampleConfig_reusable() {
	executor := sync.OnceValues(func() (*pool.ProcessPool, error) { // a package variable
		return pool.NewProcessPool(pool.Config{
			Workers:    4,
			MinWorkers: pool.NoMinimum,
			Recycle:    pool.Recycle{Idle: 10 * time.Millisecond},
		})
	})
	p, err := executor()
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	for range 2 {
		fmt.Println(square.Submit(ctx, p, 12).Result(ctx))
		for p.Stats().Ready > 0 {
			time.Sleep(time.Millisecond)
		}
		fmt.Println("idle, without workers")
	}
	// Output:
	// 144 <nil>
	// idle, without workers
	// 144 <nil>
	// idle, without workers
}

func ExampleProcessPool_Resize() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	for _, workers := range []int{3, 2} {
		if err := p.Resize(workers); err != nil {
			log.Fatal(err)
		}
		for p.Stats().Ready != workers { // it does not wait for that
			time.Sleep(time.Millisecond)
		}
		fmt.Println(p.Stats().Workers, "workers")
	}
	// Output:
	// 3 workers
	// 2 workers
}

func ExampleInsights() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	for n := range 3 {
		square.Submit(ctx, p, n)
	}
	nap.Submit(ctx, p, 100*time.Millisecond)
	p.Close() // also told while it runs: then in Workers, one for each

	insights := p.Insights()
	fmt.Println("tasks:", insights.Ended.Tasks)
	fmt.Println("longest:", insights.Longest[0].Task, insights.Longest[0].Elapsed >= 100*time.Millisecond)
	fmt.Println("worked:", insights.Ended.Working >= 100*time.Millisecond)
	// Output:
	// tasks: 4
	// longest: nap true
	// worked: true
}

// A task waits for a task of its own pool, which has one worker.
func ExampleFrom() {
	// In the task:
	//
	//	p, err := pool.From(ctx)
	//	…
	//	below, err := factorial.Submit(ctx, p, n-1).Result(ctx)
	//	return n * below, err
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	fmt.Println(factorial.Submit(context.Background(), p, 5).Result(context.Background()))
	// Output: 120 <nil>
}

// A map whose time is up ends with one error.
func ExampleMapError() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	for r, err := range root.Map(ctx, p, slices.Values([]float64{4, -1, 9})) { // that of -1 hangs
		if ended, ok := errors.AsType[*pool.MapError](err); ok {
			fmt.Println(ended.Yielded, "of the results came;", errors.Is(err, context.DeadlineExceeded))
			break
		}
		fmt.Println(r, err)
	}
	// Output:
	// 2 <nil>
	// 1 of the results came; true
}

// Of a context's values those travel that are registered.
func ExampleRegisterContextValue() {
	//	func init() { pool.RegisterContextValue[string]("tenant", tenantKey{}) }
	p, err := pool.NewProcessPool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.WithValue(context.Background(), tenantKey{}, "Ada")
	fmt.Println(greet.Submit(ctx, p, "hello").Result(ctx))
	// Output: hello, Ada <nil>
}
