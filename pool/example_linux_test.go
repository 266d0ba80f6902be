package pool_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/stint-go/stint/pool"
)

var forever = pool.NewTask("forever", func(context.Context, string) (string, error) {
	for n := 0; ; n++ {
	}
})

// A task that uses more processor time than it may is ended. One that waits is not.
func ExampleWithCPUTime() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1, Grace: pool.NoGrace})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	computes := forever.Submit(ctx, p, "computing", pool.WithCPUTime(50*time.Millisecond))
	waits := sleep.Submit(ctx, p, 100*time.Millisecond, pool.WithCPUTime(50*time.Millisecond))

	_, err = computes.Result(ctx)
	excess, ok := errors.AsType[*pool.ExcessError](err)
	fmt.Println(ok, excess.Task)
	fmt.Println(waits.Err(ctx))
	// Output:
	// true forever
	// <nil>
}
