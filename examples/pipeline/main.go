// Pipeline lists a directory through a filter, as "ls DIR | grep PATTERN" does in
// a shell, without a shell: nothing in the arguments is interpreted.
//
//	go run ./examples/pipeline
//	go run ./examples/pipeline -dir /usr/bin -grep zip
//
// It ends with what became of each stage.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/stint-go/stint/runtime/subprocess"
)

func main() {
	dir := flag.String("dir", "/", "the directory to list")
	pattern := flag.String("grep", "e", "what its entries have to contain")
	limit := flag.Duration("timeout", 10*time.Second, "after that, both are killed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *dir, *pattern, *limit); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, dir, pattern string, limit time.Duration) error {
	ls := subprocess.Command("ls", "--", dir)
	ls.Check, ls.Timeout = true, limit
	results, err := subprocess.Pipeline(ctx, ls, subprocess.Command("grep", "-e", pattern))
	if err != nil {
		return err
	}
	found := string(results[1].Stdout)
	fmt.Print(found)
	var stages []string
	for _, r := range results {
		stages = append(stages, fmt.Sprintf("%s %v", r.Args[0], r.Exit))
	}
	fmt.Printf("result: %d entries; %s\n", strings.Count(found, "\n"), strings.Join(stages, ", "))
	return nil
}
