//go:build unix

package pool_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

// nestedEcho has another worker return bytes that it makes, and tells how long that took.
var nestedEcho = pool.NewTask("nestedEcho", func(ctx context.Context, size int) (time.Duration, error) {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i)
	}
	p, err := pool.From(ctx)
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	got, err := echoBytes.Submit(ctx, p, data).Result(ctx)
	if err == nil && len(got) != size {
		err = fmt.Errorf("%d of %d bytes came back", len(got), size)
	}
	return time.Since(begin), err
})

// BenchmarkNestedPayload is a large payload that a task submits, there and back, beside
// the same from the pool's own program. Those of a task pass the host by the socket.
func BenchmarkNestedPayload(b *testing.B) {
	for _, size := range []int{64 << 10, 512 << 10, 1 << 20, 16 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			p := newProcessPool(b, pool.Config{Workers: 2})
			data := make([]byte, size)
			value(b, nestedEcho.Submit(b.Context(), p, size))
			value(b, echoBytes.Submit(b.Context(), p, data))
			var nested, direct []time.Duration
			for b.Loop() {
				for range max(3, 64<<20/size/4) {
					nested = append(nested, value(b, nestedEcho.Submit(b.Context(), p, size)))
					direct = append(direct, timed(func() { value(b, echoBytes.Submit(b.Context(), p, data)) }))
				}
			}
			b.ReportMetric(microseconds(median(nested)), "nested_µs")
			b.ReportMetric(microseconds(median(direct)), "direct_µs")
			b.ReportMetric(median(nested).Seconds()/median(direct).Seconds(), "×direct")
			b.ReportMetric(0, "ns/op")
		})
	}
}
