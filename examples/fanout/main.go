// Fanout shows a pool of goroutines at work that waits: six requests to a server
// that answers after as many milliseconds as it is asked for, or refuses.
//
//	go run ./examples/fanout
//	go run ./examples/fanout -scale 0.1
//
// The answers are read as they come, for 6000 ms. Four goroutines share six
// requests, so the one for 6000 ms begins when the first goroutine is free, after
// 1000 ms, and is still running when the time is up.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
)

func main() {
	scale := flag.Float64("scale", 1, "how many milliseconds a millisecond takes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *scale); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, scale float64) error {
	server, err := startServer(scale)
	if err != nil {
		return err
	}
	defer server.stop()
	p, err := pool.NewGoroutinePool(pool.Config{Workers: 4})
	if err != nil {
		return err
	}
	defer p.Shutdown(context.Background(), pool.Kill) // ends the request that is left

	begin := time.Now()
	reading, cancel := context.WithTimeout(ctx, milliseconds(6000, scale))
	defer cancel()
	var fs []*futures.Future[string]
	for _, ms := range []int{3000, 1000, 2000, 4000, 6000, -1000} {
		fs = append(fs, pool.Go(ctx, p, func(ctx context.Context) (string, error) {
			return get(ctx, fmt.Sprintf("%s/?ms=%d", server.url, ms))
		}))
	}
	succeeded, failed := 0, 0
	completion := futures.NewCompletion(reading, slices.Values(fs))
	for f := range completion.All() {
		answer, err := f.Result(ctx)
		if err != nil {
			failed++
			answer = err.Error()
		} else {
			succeeded++
		}
		fmt.Printf("%6.3fs  %s\n", time.Since(begin).Seconds(), answer)
	}
	wall := time.Since(begin).Seconds()
	if err := completion.Err(); err != nil {
		fmt.Printf("%6.3fs  %v\n", wall, err)
	}
	fmt.Printf("result: succeeded=%d failed=%d unfinished=%d wall=%.3fs\n", succeeded, failed, len(fs)-succeeded-failed, wall)
	return nil
}

// get is the task.
func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the server says %s: %s", response.Status, bytes.TrimSpace(body))
	}
	return string(body), err
}

// milliseconds is what n of them take.
func milliseconds(n int, scale float64) time.Duration {
	return time.Duration(float64(n) * scale * float64(time.Millisecond))
}
