package futures_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stint-go/stint/futures"
)

// BenchmarkLife is a future from New to its result, in one goroutine. The peer is
// a channel with room for the result, which is made, sent to and received from.
func BenchmarkLife(b *testing.B) {
	ctx := b.Context()
	b.ReportAllocs()
	ours := measure(b, func() {
		for b.Loop() {
			p, f := futures.New[int](nil)
			p.Succeed(42)
			if v, err := f.Result(ctx); v != 42 || err != nil {
				b.Fatal(v, err)
			}
		}
	})
	n := b.N
	from := time.Now()
	for range n {
		c := make(chan int, 1)
		c <- 42
		if v := <-c; v != 42 {
			b.Fatal(v)
		}
	}
	b.ReportMetric(ours.Seconds()/time.Since(from).Seconds(), "×channel")
}

// BenchmarkAsCompleted is a range over n pending futures, which another goroutine
// settles once it has begun. The peer is n messages through one channel with room
// for all. Making the futures is not counted; ns/op is ours alone.
func BenchmarkAsCompleted(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var ours, peer time.Duration
			for b.Loop() {
				ps, fs := pending(n)
				ours += measure(b, func() { readFutures(b, ps, fs) })
				peer += measure(b, func() { readChannel(b, n) })
			}
			b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N), "ns/op")
			b.ReportMetric(float64(ours.Nanoseconds())/float64(n)/float64(b.N), "ns/future")
			b.ReportMetric(float64(peer.Nanoseconds())/float64(n)/float64(b.N), "ns/message")
			b.ReportMetric(ours.Seconds()/peer.Seconds(), "×channel")
		})
	}
}

// readFutures settles the first, whose yield tells that all are being watched, and
// then has the others settled.
func readFutures(b *testing.B, ps []futures.Promise[int], fs []*futures.Future[int]) {
	ps[0].Succeed(0)
	got := 0
	for range futures.AsCompleted(b.Context(), fs) {
		if got++; got > 1 {
			continue
		}
		go func() {
			for i, p := range ps[1:] {
				p.Succeed(i)
			}
		}()
	}
	if got != len(fs) {
		b.Fatal(got)
	}
}

func readChannel(b *testing.B, n int) {
	c := make(chan int, n)
	go func() {
		for i := range n {
			c <- i
		}
		close(c)
	}()
	got := 0
	for range c {
		got++
	}
	if got != n {
		b.Fatal(got)
	}
}

// BenchmarkWakeUp is how long a reader that sleeps in AsCompleted takes to hear of
// a future, there and back. The peer is the same over two channels.
func BenchmarkWakeUp(b *testing.B) {
	ask := make(chan futures.Promise[int])
	go func() {
		for p := range ask {
			p.Succeed(1)
		}
	}()
	defer close(ask)
	ours := measure(b, func() {
		for b.Loop() {
			p, f := futures.New[int](nil)
			ask <- p
			for range futures.AsCompleted(b.Context(), []*futures.Future[int]{f}) {
			}
		}
	})
	n := b.N
	there, back := make(chan int), make(chan int, 1)
	go func() {
		for v := range there {
			back <- v
		}
	}()
	defer close(there)
	peer := measure(b, func() {
		for i := range n {
			there <- i
			<-back
		}
	})
	b.ReportMetric(ours.Seconds()/peer.Seconds(), "×channel")
}

// BenchmarkBytes is what a pending future holds in memory, and what comes on top
// when its channel is asked for, and for as long as an AsCompleted watches it.
func BenchmarkBytes(b *testing.B) {
	const n = 100_000
	past := expired(b)
	for b.Loop() {
		fs := make([]*futures.Future[int], n)
		b.ReportMetric(bytesEach(n, func(i int) { _, fs[i] = futures.New[int](nil) }), "B/future")
		b.ReportMetric(bytesEach(n, func(i int) { fs[i].Done() }), "B/channel")
		b.ReportMetric(bytesEach(1, func(int) {
			for range futures.AsCompleted(past, fs) {
			}
		})/n, "B/watch")
	}
}

func measure(b *testing.B, f func()) time.Duration {
	b.Helper()
	from := time.Now()
	f()
	return time.Since(from)
}
