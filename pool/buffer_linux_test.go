package pool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/futures"
	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/reactor/leaktest"
)

// isShared reports whether bytes are in memory that is shared with another process.
func isShared(data []byte) (shared bool) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		panic(err)
	}
	address := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(data))))
	for line := range strings.Lines(string(maps)) {
		var from, to uint64
		if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err == nil && from <= address && address < to {
			return strings.Contains(line, "/memfd:stint-")
		}
	}
	return false
}

func sharedBuffer(t testing.TB, b *pool.Buffer) (shared bool) {
	t.Helper()
	if err := b.Use(func(data []byte) error { shared = isShared(data); return nil }); err != nil {
		t.Fatal(err)
	}
	return shared
}

var (
	// sharesArgument tells whether its argument is in shared memory.
	sharesArgument = pool.NewTask("sharesArgument", func(_ context.Context, b *pool.Buffer) (shared bool, err error) {
		err = b.Use(func(data []byte) error { shared = isShared(data); return nil })
		return shared, err
	})
	// punch builds a result, and takes the pages of it away.
	punch = pool.NewTask("punch", func(ctx context.Context, size int) (*pool.Buffer, error) {
		b := fillWith(ctx, size, 1)
		return b, b.Use(func(data []byte) error { return unix.Madvise(data, unix.MADV_REMOVE) })
	})
	sharedMemory = pool.NewTask("sharedMemory", func(context.Context, none) (int, error) { return residentShared() })
	// spoils adds up its argument and spoils it. At first it fails.
	spoiled bool
	spoils  = pool.NewTask("spoils", func(_ context.Context, b *pool.Buffer) (int, error) {
		sum, err := sumOf(b)
		if err == nil {
			err = b.Use(func(data []byte) error { clear(data); return nil })
		}
		if !spoiled && err == nil {
			spoiled, err = true, errors.New("on purpose")
		}
		return sum, err
	})
	// poolOfItsOwn submits what passOn does to a pool within its worker.
	poolOfItsOwn = pool.NewTask("poolOfItsOwn", func(ctx context.Context, in *pool.Buffer) (product int, err error) {
		p, err := pool.NewProcessPool(pool.Config{Workers: 1})
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, p.Close()) }()
		return passTo(ctx, p, in)
	})
)

// residentShared returns how many bytes of shared memory this process has resident.
func residentShared() (n int, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "RssShmem:")
	_, err = fmt.Sscan(after, &n)
	return n << 10, err
}

// withArena is a pool whose workers share 4 MiB each way.
func withArena(t testing.TB, workers int) *pool.ProcessPool {
	return newProcessPool(t, pool.Config{Workers: workers, SharedMemory: 8 * mebibyte})
}

// hasAllRoom asserts that a worker has its whole arena, both ways.
func hasAllRoom(t testing.TB, p pool.Pool) {
	t.Helper()
	eventually(t, "there is room for an argument of 4 MiB", func() bool { // once the worker has passed what was taken back
		return value(t, sharesArgument.Submit(t.Context(), p, pool.BufferOf(make([]byte, 4*mebibyte))))
	})
	b := value(t, builds.Submit(t.Context(), p, letters{Size: 4 * mebibyte}))
	if !sharedBuffer(t, b) {
		t.Error("there is no room for a result of 4 MiB")
	}
	b.Release()
}

// TestSharedBuffer: what is large travels through shared memory, what is small or finds
// no room there does not, and nothing does where there is none.
func TestSharedBuffer(t *testing.T) {
	p := withArena(t, 1)
	for size, want := range map[int]bool{mebibyte - 1: false, mebibyte: true, 4 * mebibyte: true, 4*mebibyte + 1: false} {
		if got := value(t, sharesArgument.Submit(t.Context(), p, pool.BufferOf(make([]byte, size)))); got != want {
			t.Errorf("an argument of %d bytes is shared: %v", size, got)
		}
		for name, task := range map[string]*pool.Task[*pool.Buffer, *pool.Buffer]{"returned": returned, "rebuilt": rebuilt} {
			b := value(t, task.Submit(t.Context(), p, pool.BufferOf(make([]byte, size))))
			if got := sharedBuffer(t, b); got != want {
				t.Errorf("%d bytes %s are shared: %v", size, name, got)
			}
			b.Release()
		}
	}
	hasAllRoom(t, p)
	none := newProcessPool(t, pool.Config{Workers: 1, SharedMemory: pool.NoSharedMemory})
	b := value(t, rebuilt.Submit(t.Context(), none, pool.BufferOf(noise(1, 3*mebibyte))))
	if sharedBuffer(t, b) || !bytes.Equal(contentOf(t, b), noise(1, 3*mebibyte)) {
		t.Error("without shared memory")
	}
}

// TestLargeItems: items of a map that are large are shared, and others are not.
func TestLargeItems(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2})
	sizes := []int{10, 2 * mebibyte, 20, 30, mebibyte, 40}
	in := func(yield func(*pool.Buffer) bool) {
		for i, size := range sizes {
			if !yield(pool.BufferOf(noise(uint32(i), size))) {
				return
			}
		}
	}
	i := 0
	for b, err := range returned.Map(t.Context(), p, in, pool.WithChunkSize(3)) {
		if err != nil || !bytes.Equal(contentOf(t, b), noise(uint32(i), sizes[i])) || sharedBuffer(t, b) != (sizes[i] >= mebibyte) {
			t.Errorf("item %d: %v", i, err)
		}
		b.Release()
		i++
	}
	if i != len(sizes) {
		t.Errorf("%d of %d", i, len(sizes))
	}
}

// TestNothingIsSharedBefore: shared memory costs nothing before the first large payload.
func TestNothingIsSharedBefore(t *testing.T) {
	ours, err := residentShared()
	if err != nil {
		t.Fatal(err)
	}
	p := newProcessPool(t, pool.Config{Workers: 2})
	for n := range 2000 {
		value(t, double.Submit(t.Context(), p, n))
	}
	value(t, length.Submit(t.Context(), p, make([]byte, mebibyte-1)))
	theirs := value(t, sharedMemory.Submit(t.Context(), p, none{}))
	if now, err := residentShared(); err != nil || now-ours > 2*mebibyte || theirs > mebibyte {
		t.Errorf("this process shares %d bytes more than before, a worker %d, %v", now-ours, theirs, err)
	}
}

// TestNoRoomIsLost: whatever becomes of a task, what it has taken of the shared
// memory is there for the next.
func TestNoRoomIsLost(t *testing.T) {
	p := withArena(t, 1)
	large := func() *pool.Buffer { return pool.BufferOf(make([]byte, 3*mebibyte)) }
	for name, f := range map[string]func(t *testing.T){
		"an error, a panic, another result": func(t *testing.T) {
			for _, how := range []string{"fail", "panic", "forget", "release", "nil"} {
				_, _ = result(t, builds.Submit(t.Context(), p, letters{Size: 3 * mebibyte, How: how}))
			}
		},
		"a size that cannot be": func(t *testing.T) {
			for _, size := range []int{math.MaxInt, math.MaxInt - 4095, -1, math.MinInt} {
				failure[*pool.PanicError](t, builds.Submit(t.Context(), p, letters{Size: size}))
			}
		},
		"of a type that copies": func(t *testing.T) {
			for range 3 {
				value(t, echoBytes.Submit(t.Context(), p, make([]byte, 3*mebibyte)))
			}
		},
		"taken back and cancelled": func(t *testing.T) {
			for range 5 {
				before := sleep.Submit(t.Context(), p, 30*time.Millisecond)
				eventually(t, "it has begun", func() bool { return before.State() != futures.Pending })
				var fs []*futures.Future[int]
				for range 5 {
					fs = append(fs, sums.Submit(t.Context(), p, large()))
				}
				for _, f := range fs {
					f.Cancel()
				}
				value(t, before)
			}
		},
		"killed": func(t *testing.T) {
			f := running(t, builds.Submit(t.Context(), p, letters{Size: 3 * mebibyte, How: "hang"}))
			f.Kill()
			failure[*pool.KilledError](t, f)
		},
		"not a result": func(t *testing.T) {
			matches(t, builds.Submit(t.Context(), p, letters{Size: 3 * mebibyte, How: "release"}), pool.ErrReleased)
			failure[*pool.CodecError](t, builds.Submit(t.Context(), p, letters{Size: 3 * mebibyte, How: "nil"}))
			failure[*pool.CodecError](t, returned.Submit(t.Context(), p, nil))
		},
		"tried again": func(t *testing.T) {
			retry := pool.WithRetry(pool.Retry{Attempts: 2, On: pool.OnAny})
			if got := value(t, spoils.Submit(t.Context(), p, pool.BufferOf(bytes.Repeat([]byte{1}, 3*mebibyte)), retry)); got != 3*mebibyte {
				t.Errorf("the second attempt got an argument with the sum %d", got)
			}
		},
		"submitted to a pool in the worker": func(t *testing.T) {
			if got := value(t, poolOfItsOwn.Submit(t.Context(), p, pool.BufferOf(bytes.Repeat([]byte{1}, mebibyte)))); got != 2*mebibyte*mebibyte {
				t.Errorf("got %d", got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f(t)
			hasAllRoom(t, p)
		})
	}
}

// TestBufferOutlivesItsPool: a result that is not released can be read after the end of
// its worker, and of its pool; with its release nothing is left.
func TestBufferOutlivesItsPool(t *testing.T) {
	leaktest.Check(t)
	p, err := pool.NewProcessPool(pool.Config{Workers: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	data := noise(5, 5*mebibyte)
	built := value(t, rebuilt.Submit(t.Context(), p, pool.BufferOf(data)))
	kept := value(t, returned.Submit(t.Context(), p, pool.BufferOf(data)))
	send(t, workerPID(t, p), syscall.SIGKILL)
	later := value(t, rebuilt.Submit(t.Context(), p, pool.BufferOf(data))) // of another worker
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*pool.Buffer{"built": built, "kept": kept, "later": later} {
		if !sharedBuffer(t, b) || !bytes.Equal(contentOf(t, b), data) {
			t.Errorf("%s: it is not what it was", name)
		}
		b.Release()
	}
}

// TestForgottenBuffer: the garbage collector does not take what is in use, and takes
// what is forgotten.
func TestForgottenBuffer(t *testing.T) {
	leaktest.Check(t)
	p := withArena(t, 1)
	build := func() *pool.Buffer {
		return value(t, builds.Submit(t.Context(), p, letters{Size: 4 * mebibyte, Letter: 1}))
	}
	err := build().Use(func(data []byte) error { // whose Buffer nobody has any more
		for range 5 {
			runtime.GC()
			time.Sleep(time.Millisecond)
		}
		other := build()
		if sharedBuffer(t, other) {
			return errors.New("its memory is another's")
		}
		if bytes.Count(data, []byte{1}) != len(data) {
			return errors.New("its memory is not what it was")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	eventually(t, "there is room again", func() bool {
		runtime.GC()
		return sharedBuffer(t, build())
	})
}

// TestReleaseInUse: a release waits for those who use the Buffer.
func TestReleaseInUse(t *testing.T) {
	p := withArena(t, 1)
	b := value(t, builds.Submit(t.Context(), p, letters{Size: 3 * mebibyte, Letter: 1}))
	var all sync.WaitGroup
	err := b.Use(func(data []byte) error {
		for range 4 {
			all.Go(b.Release)
		}
		all.Wait()
		other := value(t, builds.Submit(t.Context(), p, letters{Size: 3 * mebibyte, Letter: 2}))
		defer other.Release()
		if sharedBuffer(t, other) || bytes.Count(data, []byte{1}) != len(data) {
			return errors.New("its memory is another's")
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	hasAllRoom(t, p)
}

// TestPunchedResult is SEC-8: a worker that takes pages away under its host's hands has
// it read zeros.
func TestPunchedResult(t *testing.T) {
	p := withArena(t, 1)
	b := value(t, punch.Submit(t.Context(), p, 3*mebibyte))
	if got := contentOf(t, b); !sharedBuffer(t, b) || bytes.Count(got, []byte{0}) != 3*mebibyte {
		t.Errorf("got %d bytes", len(got))
	}
	b.Release()
	hasAllRoom(t, p)
}

// TestDeathWithPayloads: workers are killed at random moments while large payloads
// travel, both ways. Each future settles once, what arrives is whole, and nothing is
// left.
func TestDeathWithPayloads(t *testing.T) {
	leaktest.Check(t)
	const tasks, size, kills = 40, 4 * mebibyte, 12
	p := newProcessPool(t, pool.Config{Workers: 2, SharedMemory: 24 * mebibyte})
	data := make([][]byte, 4)
	sums := make([]uint32, len(data))
	for i := range data {
		data[i] = noise(uint32(i), size+i)
		sums[i] = crc32.ChecksumIEEE(data[i])
	}
	var settled [tasks]int
	var mu sync.Mutex
	note := func(n int) {
		mu.Lock()
		defer mu.Unlock()
		settled[n]++
	}
	var plain []*futures.Future[[]byte]
	var inPlace []*futures.Future[*pool.Buffer]
	for n := range tasks {
		if i := n % len(data); n%2 == 0 {
			plain = append(plain, echoBytes.Submit(t.Context(), p, data[i]))
			plain[n/2].OnDone(func(*futures.Future[[]byte]) { note(n) })
		} else {
			task := returned
			if n%4 == 1 {
				task = rebuilt
			}
			inPlace = append(inPlace, task.Submit(t.Context(), p, pool.BufferOf(data[i])))
			inPlace[n/2].OnDone(func(*futures.Future[*pool.Buffer]) { note(n) })
		}
	}
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		for range kills {
			time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond)
			f := pid.Submit(t.Context(), p, none{}, pool.WithPriority(1))
			if victim, err := f.Result(t.Context()); err == nil {
				time.Sleep(time.Duration(rand.IntN(5_000)) * time.Microsecond)
				_ = syscall.Kill(victim, syscall.SIGKILL)
			}
		}
	}()
	whole, lost := 0, 0
	check := func(n int, got []byte, err error) {
		switch i := n % len(data); {
		case errors.Is(err, pool.ErrWorkerDied):
			lost++
		case err != nil || len(got) != size+i || crc32.ChecksumIEEE(got) != sums[i]:
			t.Errorf("task %d: %d bytes, %v", n, len(got), err)
		default:
			whole++
		}
	}
	for i, f := range plain {
		got, err := result(t, f)
		check(2*i, got, err)
	}
	var held []*pool.Buffer
	for i, f := range inPlace {
		b, err := result(t, f)
		if err != nil {
			check(2*i+1, nil, err)
			continue
		}
		held = append(held, b)
		check(2*i+1, contentOf(t, b), nil)
	}
	<-killed
	t.Logf("%d whole, %d lost", whole, lost)
	if whole == 0 {
		t.Error("nothing arrived")
	}
	eventually(t, "all callbacks were called", func() bool {
		mu.Lock()
		defer mu.Unlock()
		for _, n := range settled {
			if n == 0 {
				return false
			}
		}
		return true
	})
	mu.Lock()
	defer mu.Unlock()
	for n, times := range settled {
		if times != 1 {
			t.Errorf("the future of task %d has settled %d times", n, times)
		}
	}
	for _, b := range held {
		b.Release()
	}
}
