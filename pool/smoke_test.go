package pool

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
)

var double = NewTask("double", func(ctx context.Context, n int) (int, error) { return 2 * n, nil })
var spin = NewTask("spin", func(ctx context.Context, n int) (int, error) {
	for {
	}
})

func TestMain(m *testing.M) { Main(); m.Run() }

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	p, err := NewProcessPool(Config{Workers: 2, TaskTimeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	var fs []*futures.Future[int]
	for i := range 200000 {
		fs = append(fs, double.Submit(ctx, p, i))
	}
	sum := 0
	for f := range futures.AsCompleted(ctx, fs) {
		v, err := f.Result(ctx)
		if err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	fmt.Println(sum, time.Since(start), float64(len(fs))/time.Since(start).Seconds())
	f := spin.Submit(ctx, p, 1)
	_, err = f.Result(ctx)
	fmt.Println(err)
	fmt.Println(double.Submit(ctx, p, 4).Result(ctx))
	fmt.Printf("%+v\n", p.Stats())
	start = time.Now()
	fmt.Println(p.Close(), time.Since(start))
}

func TestSmokeGoroutines(t *testing.T) {
	ctx := context.Background()
	p, _ := NewGoroutinePool(Config{Workers: 2, TaskTimeout: 100 * time.Millisecond})
	start := time.Now()
	var fs []*futures.Future[int]
	for i := range 200000 {
		fs = append(fs, double.Submit(ctx, p, i))
	}
	for f := range futures.AsCompleted(ctx, fs) {
		if _, err := f.Result(ctx); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Println(time.Since(start), float64(len(fs))/time.Since(start).Seconds())
	release := make(chan int)
	f := Go(ctx, p, func(context.Context) (int, error) { return <-release, nil })
	_, err := f.Result(ctx)
	fmt.Println(err)
	f = Go(ctx, p, func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
	_, err = f.Result(ctx)
	fmt.Println(err)
	fmt.Printf("%+v\n", p.Stats())
	close(release)
	fmt.Println(p.Close())
	fmt.Printf("%+v\n", p.Stats())
}
