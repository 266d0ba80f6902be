package pool_test

import (
	"context"
	"fmt"
	"log"

	"github.com/stint-go/stint/pool"
)

func ExampleWithPriority() {
	p, err := pool.NewGoroutinePool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	free := make(chan struct{})
	pool.Go(ctx, p, func(context.Context) (none, error) {
		<-free
		return none{}, nil
	}, pool.WithPriority(9))
	for priority := range 3 {
		pool.Go(ctx, p, func(context.Context) (int, error) { return fmt.Println(priority) }, pool.WithPriority(priority))
	}
	close(free)
	p.Close()
	// Output:
	// 2
	// 1
	// 0
}

func ExampleWithQueue() {
	p, err := pool.NewGoroutinePool(pool.Config{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	free := make(chan struct{})
	pool.Go(ctx, p, func(context.Context) (none, error) {
		<-free
		return none{}, nil
	}, pool.WithPriority(9))
	for _, name := range []string{"a1", "a2", "a3", "b1", "b2"} {
		pool.Go(ctx, p, func(context.Context) (int, error) { return fmt.Println(name) }, pool.WithQueue(name[:1]))
	}
	close(free)
	p.Close()
	// Output:
	// a1
	// b1
	// a2
	// b2
	// a3
}
