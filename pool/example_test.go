//go:build unix

package pool_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

// square is a package variable: a worker process is this program once more, and
// must know it, too.
var square = pool.NewTask("square", func(_ context.Context, n int) (int, error) {
	return n * n, nil
})

// The main function of a program that does this begins with pool.Main().
func Example() {
	p, err := pool.NewProcessPool(pool.Config{Workers: 2, TaskTimeout: 5 * time.Second})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	ctx := context.Background()
	var fs []*futures.Future[int]
	for n := range 5 {
		fs = append(fs, square.Submit(ctx, p, n))
	}
	for f := range futures.AsCompleted(ctx, fs) {
		v, err := f.Result(ctx) // one that hangs comes at its deadline, with a *pool.TimeoutError
		fmt.Println(v, err)
	}
	// Unordered output:
	// 0 <nil>
	// 1 <nil>
	// 4 <nil>
	// 9 <nil>
	// 16 <nil>
}
