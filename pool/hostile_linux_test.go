package pool_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor/leaktest"
)

// scrawl has its worker's process write nonsense all over the memory that it shares
// with its host, a word at random
// at a time, until it is killed.
var scrawl = pool.NewTask("scrawl", func(_ context.Context, seed uint64) (none, error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return none{}, err
	}
	var words [][]uint64
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err == nil && strings.Contains(line, "/memfd:stint-") {
			from := from // not known to the garbage collector
			words = append(words, unsafe.Slice(*(**uint64)(unsafe.Pointer(&from)), min(int(to-from), mebibyte)/8))
		}
	}
	go func() {
		random := rand.New(rand.NewPCG(seed, 1))
		for {
			memory := words[random.IntN(len(words))]
			if random.IntN(4) > 0 {
				memory = memory[:min(len(memory), 1<<random.IntN(18))] // the tables
			}
			word := &memory[random.IntN(len(memory))]
			switch random.IntN(4) {
			case 0:
				*word = random.Uint64()
			case 1:
				*word++
			case 2:
				*word ^= 1 << random.IntN(64)
			default:
				*word = 1<<63 - 1
			}
		}
	}()
	return none{}, nil
})

// TestScrawlers: workers that write nonsense into the memory that they share, at any
// time, spoil nothing but their own tasks: each future settles, and nothing is left. (In
// one of ten runs it meets with claims behind a running task that say neither that theirs
// have begun nor that they have not: an idle worker once looked at them for ever.)
func TestScrawlers(t *testing.T) {
	leaktest.Check(t)
	p := newProcessPool(t, pool.Config{Workers: 3, SharedMemory: 8 * mebibyte, Grace: 100 * time.Millisecond, TaskTimeout: time.Second})
	data := noise(1, 2*mebibyte)
	for round := range uint64(4) {
		var hostile []*futures.Future[none]
		for i := range uint64(2) {
			hostile = append(hostile, scrawl.Submit(t.Context(), p, 10*round+i))
		}
		var small []*futures.Future[int]
		var large []*futures.Future[*pool.Buffer]
		for n := range 30 {
			small = append(small, double.Submit(t.Context(), p, n))
			if n%5 == 0 {
				large = append(large, rebuilt.Submit(t.Context(), p, pool.BufferOf(data)))
			}
		}
		collect(double.Map(patient(t), p, slices.Values(make([]int, 200)), pool.WithChunkSize(20)))
		for _, f := range small {
			_, _ = result(t, f)
		}
		for _, f := range large {
			if b, err := result(t, f); err == nil {
				_, _ = b.Bytes()
				b.Release()
			}
		}
		for _, f := range hostile {
			_, _ = result(t, f)
		}
	}
	t.Logf("%+v", p.Stats())
}
