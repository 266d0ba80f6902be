//go:build unix

package pool_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stint-go/stint/pool"
)

var (
	bufferLength = pool.NewTask("bufferLength", func(_ context.Context, b *pool.Buffer) (int, error) { return b.Len(), nil })
	bufferEcho   = pool.NewTask("bufferEcho", func(_ context.Context, b *pool.Buffer) (*pool.Buffer, error) { return b, nil })
	// rebuild returns a copy of its argument, that it makes where it travels.
	rebuild = pool.NewTask("rebuild", func(ctx context.Context, in *pool.Buffer) (*pool.Buffer, error) {
		out := pool.NewBuffer(ctx, in.Len())
		return out, out.Use(func(to []byte) error {
			return in.Use(func(from []byte) error {
				copy(to, from)
				return nil
			})
		})
	})
)

// BenchmarkPayload is a large payload on its way to one worker, and there and back.
// The limit is one copy of as many bytes, in this process. "×memcpy" is the share of
// the limit's throughput; of an echo, one way.
func BenchmarkPayload(b *testing.B) {
	const mebibyte = 1 << 20
	for _, size := range []int{1 * mebibyte, 16 * mebibyte, 256 * mebibyte} {
		data := make([]byte, size)
		name := fmt.Sprintf("%dMiB", size/mebibyte)
		b.Run(name+"/length of a Buffer", func(b *testing.B) {
			benchmarkPayload(b, data, func(p pool.Pool) { value(b, bufferLength.Submit(b.Context(), p, pool.BufferOf(data))) })
		})
		b.Run(name+"/length of bytes", func(b *testing.B) {
			benchmarkPayload(b, data, func(p pool.Pool) { value(b, length.Submit(b.Context(), p, data)) })
		})
		if size != 16*mebibyte {
			continue
		}
		b.Run(name+"/echo of bytes", func(b *testing.B) {
			benchmarkPayload(b, data, func(p pool.Pool) { value(b, echoBytes.Submit(b.Context(), p, data)) })
		})
		for name, task := range map[string]*pool.Task[*pool.Buffer, *pool.Buffer]{name + "/echo of a Buffer": bufferEcho, name + "/rebuilt Buffer": rebuild} {
			b.Run(name, func(b *testing.B) {
				benchmarkPayload(b, data, func(p pool.Pool) { value(b, task.Submit(b.Context(), p, pool.BufferOf(data))).Release() })
			})
		}
	}
}

func benchmarkPayload(b *testing.B, data []byte, send func(pool.Pool)) {
	shared, socket := newProcessPool(b, pool.Config{Workers: 1}), newProcessPool(b, pool.Config{Workers: 1, SharedMemory: pool.NoSharedMemory})
	to := make([]byte, len(data))
	for _, warm := range []func(){func() { send(shared) }, func() { send(socket) }, func() { copy(to, data) }} {
		warm()
	}
	var ours, sockets, bare []time.Duration
	for b.Loop() {
		for range max(1, 64<<20/len(data)) { // in turns, so that all meet the same noise
			ours = append(ours, timed(func() { send(shared) }))
			bare = append(bare, timed(func() { copy(to, data) }))
			sockets = append(sockets, timed(func() { send(socket) }))
		}
	}
	b.ReportMetric(float64(len(data))/(1<<20)/median(ours).Seconds(), "MiB/s")
	b.ReportMetric(median(bare).Seconds()/median(ours).Seconds(), "×memcpy")
	b.ReportMetric(median(sockets).Seconds()/median(ours).Seconds(), "×socket")
	b.ReportMetric(0, "ns/op") // of all together: it says nothing
}
