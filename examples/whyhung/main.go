// Whyhung shows what the error of a hung task tells.
//
// A task loops for ever over a list that ends in a ring. At its deadline its
// worker is killed, and the error says where the task was: file and line of the
// loop, as an unhandled panic would. Nothing was prepared for that in the task.
//
//	go run ./examples/whyhung
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"regexp"
	"time"

	"github.com/stint-go/stint/pool"
)

// node is an element of a list.
type node struct {
	value int
	next  *node
}

// sum adds up a list of n elements, the last of which points back to the first,
// as nobody had intended.
var sum = pool.NewTask("sum", func(_ context.Context, n int) (int, error) {
	first := &node{}
	last := first
	for i := range n {
		last.next = &node{value: i}
		last = last.next
	}
	last.next = first
	return total(first), nil
})

func total(list *node) (total int) {
	for ; list != nil; list = list.next { // the line that the error names
		total += list.value
	}
	return total
}

func main() {
	pool.Main() // a worker process serves tasks here and never returns

	limit := flag.Duration("limit", time.Second, "how long the task may run")
	flag.Parse()
	if err := run(context.Background(), *limit); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, limit time.Duration) error {
	p, err := pool.NewProcessPool(pool.Config{Workers: 1, TaskTimeout: limit})
	if err != nil {
		return err
	}
	defer p.Close()

	_, err = sum.Submit(ctx, p, 1000).Result(ctx)
	fmt.Printf("%+v\n\n", err) // %v is the first line alone
	hung, ok := errors.AsType[*pool.TimeoutError](err)
	if !ok {
		return fmt.Errorf("the task should have hung: %w", err)
	}
	fmt.Printf("result: hung_in=%s limit=%v killed_after=%.3fs\n", place(hung.Stack), limit, hung.Elapsed.Seconds())
	return nil
}

// place is where the loop is: the line below the name of its function.
func place(stack string) string {
	found := regexp.MustCompile(`main\.total\(.*\n.*/([^/\s]+:\d+)`).FindStringSubmatch(stack)
	if found == nil {
		return "unknown"
	}
	return found[1]
}
