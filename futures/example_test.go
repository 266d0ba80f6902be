package futures_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stint-go/stint/futures"
)

func Example() {
	promise, future := futures.New[int](nil)
	go func() { promise.Succeed(6 * 7) }()

	v, err := future.Result(context.Background())
	fmt.Println(v, err)
	// Output: 42 <nil>
}

// The end of a wait can be told from the end of the work.
func ExampleFuture_Result() {
	promise, future := futures.New[string](nil)
	promise.Start()

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err := future.Result(ctx)
	if wait, ok := errors.AsType[*futures.WaitError](err); ok {
		fmt.Println("still", wait.State)
	}
	fmt.Println(errors.Is(err, context.DeadlineExceeded))

	promise.Succeed("late, not lost")
	fmt.Println(future.Result(ctx)) // ctx has ended, and the result is there
	// Output:
	// still running
	// true
	// late, not lost <nil>
}

func ExampleFuture_Cancel() {
	_, queued := futures.New[int](nil)
	fmt.Println(queued.Cancel(), queued.Err(context.Background()))

	begun, running := futures.New[int](nil)
	begun.Start()
	fmt.Println(running.Cancel(), running.State())
	// Output:
	// true futures: cancelled
	// false running
}

func ExampleFuture_OnDone() {
	promise, future := futures.New[int](nil)
	printed := make(chan struct{})
	future.OnDone(func(f *futures.Future[int]) {
		fmt.Println(f.Result(context.Background()))
		close(printed)
	})
	promise.Succeed(42)
	<-printed
	// Output: 42 <nil>
}

func ExampleAsCompleted() {
	ctx := context.Background()
	tortoise, slow := futures.New[string](nil)
	hare, fast := futures.New[string](nil)
	go hare.Succeed("hare")
	for f := range futures.AsCompleted(ctx, []*futures.Future[string]{slow, fast}) {
		fmt.Println(f.Result(ctx))
		if f == fast {
			go tortoise.Succeed("tortoise")
		}
	}
	// Output:
	// hare <nil>
	// tortoise <nil>
}

// Futures of several types are waited for together as Awaitable.
func ExampleAsCompleted_awaitable() {
	ctx := context.Background()
	fs := []futures.Awaitable{
		futures.FromValue(42),
		futures.FromError[string](errors.New("no such word")),
	}
	for f := range futures.AsCompleted(ctx, fs) {
		fmt.Println(f.State(), f.Err(ctx))
	}
	// Output:
	// succeeded <nil>
	// failed no such word
}

func ExampleCompletion_Err() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, never := futures.New[int](nil)
	fs := []*futures.Future[int]{never, futures.FromValue(1), never, futures.FromValue(2)}

	c := futures.NewCompletion(ctx, slices.Values(fs))
	for f := range c.All() {
		fmt.Println(f.Result(ctx))
	}
	fmt.Println(c.Err())
	// Output:
	// 1 <nil>
	// 2 <nil>
	// 1 (of 3) futures unfinished: context deadline exceeded
}

func ExampleWait() {
	_, never := futures.New[int](nil)
	fs := []*futures.Future[int]{never, futures.FromValue(1)}

	done, pending, err := futures.Wait(context.Background(), fs, futures.FirstCompleted)
	fmt.Println(len(done), len(pending), err)

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	done, pending, err = futures.Wait(ctx, fs, futures.AllCompleted)
	fmt.Println(len(done), len(pending), err)
	// Output:
	// 1 1 <nil>
	// 1 1 1 (of 2) futures unfinished: context deadline exceeded
}
