//go:build unix

package worker_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stint-go/stint/runtime/worker"
)

func init() {
	helpers["pong"] = pong
	tasks["mallocs"] = func(context.Context, []byte) ([]byte, error) {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return binary.LittleEndian.AppendUint64(nil, stats.Mallocs), nil
	}
}

// messageSize is that of the peer's messages: what a small task takes.
const messageSize = 64

// pong is the peer: it answers each message by itself, as a worker must, and
// does nothing else.
func pong() {
	conn, err := net.FileConn(os.NewFile(3, "socket"))
	if err != nil {
		panic(err)
	}
	in := bufio.NewReaderSize(conn, 64<<10)
	message := make([]byte, messageSize)
	for {
		if _, err := io.ReadFull(in, message); err != nil {
			return
		}
		if _, err := conn.Write(message); err != nil {
			return
		}
	}
}

// startPong starts the peer in a process of its own.
func startPong(b *testing.B) net.Conn {
	b.Helper()
	ours, theirs := socketPair(b)
	conn, err := net.FileConn(ours)
	if err != nil {
		b.Fatal(err)
	}
	p, err := os.StartProcess(os.Args[0], os.Args[:1], &os.ProcAttr{
		Env:   append(os.Environ(), helperKey+"=pong"),
		Files: []*os.File{nil, nil, os.Stderr, theirs},
	})
	if err != nil {
		b.Fatal(err)
	}
	ours.Close()
	theirs.Close()
	b.Cleanup(func() {
		conn.Close()
		_, _ = p.Wait()
	})
	return conn
}

// BenchmarkRoundTrip is one task at a time, from Offer to the goroutine that
// waits for its result. The peer is one message there and back over a
// net.UnixConn. They take turns, so that both meet the same machine.
func BenchmarkRoundTrip(b *testing.B) {
	s, conn := startStream(b), startPong(b)
	const turn = 100
	var ours, peer []time.Duration
	message := make([]byte, messageSize)
	b.ReportAllocs()
	for b.Loop() {
		for range turn {
			at := time.Now()
			s.run(1)
			ours = append(ours, time.Since(at))
		}
		b.StopTimer()
		for range turn {
			at := time.Now()
			if _, err := conn.Write(message); err != nil {
				b.Fatal(err)
			}
			if _, err := io.ReadFull(conn, message); err != nil {
				b.Fatal(err)
			}
			peer = append(peer, time.Since(at))
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(len(ours)), "ns/task")
	for _, p := range []int{50, 99} {
		mine, theirs := percentile(ours, p), percentile(peer, p)
		b.ReportMetric(float64(mine.Nanoseconds())/1e3, fmt.Sprintf("p%d-µs", p))
		b.ReportMetric(float64(mine)/float64(theirs), fmt.Sprintf("p%d-×UnixConn", p))
	}
}

func percentile(all []time.Duration, p int) time.Duration {
	slices.Sort(all)
	return all[len(all)*p/100]
}

const (
	streamLength = 10_000
	streamWindow = 64
)

// stream is a receiver that keeps a window of tasks with its worker, as a pool
// does, until all have been offered.
type stream struct {
	link  *worker.Link
	ready chan struct{}
	ended chan error
	done  chan struct{}

	mu       sync.Mutex
	argument []byte
	value    []byte // of the last result
	free     []uint16
	id       uint64
	task     string
	left     int // to offer
	pending  int
}

func (s *stream) Ready()                               { close(s.ready) }
func (s *stream) Progress(uint16, uint64, []byte) bool { return true }
func (s *stream) Stack(uint64, string)                 {}
func (s *stream) Called(worker.Call) error             { return nil }
func (s *stream) Closed(err error)                     { s.ended <- err }

func (s *stream) Results(results []worker.Result) {
	defer s.link.Flush()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range results {
		s.free = append(s.free, results[i].Slot)
	}
	s.value = append(s.value[:0], results[len(results)-1].Value...)
	s.pending -= len(results)
	s.fill()
	if s.pending == 0 {
		s.done <- struct{}{}
	}
}

// fill is under the lock.
func (s *stream) fill() {
	for s.left > 0 && s.pending < streamWindow {
		slot := s.free[len(s.free)-1]
		s.free = s.free[:len(s.free)-1]
		s.id++
		s.left--
		s.pending++
		s.link.Offer(slot, s.id, s.task, time.Minute, s.argument)
	}
	s.link.Flush()
}

// run has n tasks run and returns when their results have come.
func (s *stream) run(n int) { s.runTask("echo", n) }

func (s *stream) runTask(task string, n int) {
	s.mu.Lock()
	s.task, s.left = task, n
	s.fill()
	s.mu.Unlock()
	s.link.Flush()
	<-s.done
}

// mallocs returns how many objects the worker has allocated so far.
func (s *stream) mallocs() uint64 {
	s.runTask("mallocs", 1)
	return binary.LittleEndian.Uint64(s.value)
}

// startStream starts a worker whose receiver is a stream.
func startStream(b *testing.B) *stream {
	b.Helper()
	s := &stream{
		ready: make(chan struct{}), ended: make(chan error, 1), done: make(chan struct{}, 1), argument: []byte("0123456789abcdef"),
	}
	for i := range streamWindow {
		s.free = append(s.free, uint16(i))
	}
	path, err := worker.Executable()
	if err != nil {
		b.Fatal(err)
	}
	var files []*os.File
	if s.link, files, err = worker.Open(worker.LinkConfig{Limit: 1 << 20, Receiver: s}); err != nil {
		b.Fatal(err)
	}
	p, err := os.StartProcess(path, os.Args[:1], &os.ProcAttr{Env: worker.Environment(os.Environ()), Files: files})
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		f.Close()
	}
	b.Cleanup(func() {
		s.link.Close()
		<-s.ended
		s.link.Release()
		_, _ = p.Wait()
	})
	s.link.Start()
	<-s.ready
	return s
}

// BenchmarkStream is 10,000 tasks, up to 64 of them with the worker at a time.
// The peer keeps as many messages of the same number under way, to a process
// that answers each by itself, and refills whenever some have come back.
func BenchmarkStream(b *testing.B) {
	s, conn := startStream(b), startPong(b)
	mallocs := s.mallocs()
	b.ReportAllocs()
	var peer time.Duration
	for b.Loop() {
		s.run(streamLength)
		b.StopTimer()
		at := time.Now()
		streamMessages(b, conn)
		peer += time.Since(at)
		b.StartTimer()
	}
	ours := b.Elapsed()
	b.ReportMetric(float64(streamLength*b.N)/ours.Seconds(), "tasks/s")
	b.ReportMetric(ours.Seconds()/peer.Seconds(), "×UnixConn")
	b.ReportMetric(float64(s.mallocs()-mallocs)/float64(streamLength*b.N), "worker-allocs/task")
}

func streamMessages(b *testing.B, conn net.Conn) {
	out, in := make([]byte, streamWindow*messageSize), make([]byte, 64<<10)
	sent, came := 0, 0 // bytes
	for came < streamLength*messageSize {
		n := min(streamLength*messageSize-sent, streamWindow*messageSize-(sent-came))
		if n > 0 {
			if _, err := conn.Write(out[:n]); err != nil {
				b.Fatal(err)
			}
			sent += n
		}
		n, err := conn.Read(in)
		if err != nil {
			b.Fatal(err)
		}
		came += n
	}
}
