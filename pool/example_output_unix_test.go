//go:build unix

package pool_test

import (
	"context"
	"fmt"
	"log"

	"github.com/stint-go/stint/pool"
)

var greet = pool.NewTask("greet", func(_ context.Context, name string) (none, error) {
	fmt.Println("hello,", name) // to its worker's standard output
	return none{}, nil
})

func ExampleNewLineWriter() {
	p, err := pool.NewProcessPool(pool.Config{
		Workers: 1,
		Stdout: pool.NewLineWriter(func(l pool.Line) {
			fmt.Printf("worker %d, %s: %s\n", l.Worker, l.Task, l.Text)
		}),
	})
	if err != nil {
		log.Fatal(err)
	}
	greet.Submit(context.Background(), p, "Ada")
	p.Close() // returns when all is passed on
	// Output: worker 1, greet: hello, Ada
}
