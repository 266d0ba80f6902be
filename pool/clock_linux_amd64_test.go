package pool_test

import (
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/pool"
	"github.com/stint-go/stint/runtime/subprocess"
)

// This file has the wall clock jump, for one host and its workers alone. All of them
// read it through a function that the kernel maps into each process (vDSO,
// vdso(7)). Its first instruction is overwritten, in the process's own copy, so that it goes
// on in a function here, which asks the kernel and adds what a file says that they share.

const clockKey = "POOL_TEST_CLOCK" // the file

// skew is how much the wall clock is ahead, in seconds; nil: it is the system's.
var skew *atomic.Int64

func init() {
	if path := os.Getenv(clockKey); path != "" {
		if err := warpClock(path); err != nil {
			fmt.Println(skipped + err.Error())
			os.Exit(0)
		}
	}
	programs["jumping clock"] = jumpingClock
}

// warpClock makes the wall clock of this process that of the file.
func warpClock(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	shared, err := unix.Mmap(int(file.Fd()), 0, 8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	skew = (*atomic.Int64)(unsafe.Pointer(&shared[0]))
	entry, err := clockFunction()
	if err != nil {
		return err
	}
	code, err := nearby(entry)
	if err != nil {
		return err
	}
	stub := []byte{
		0xb8, 228, 0, 0, 0, // mov eax, SYS_clock_gettime
		0x0f, 0x05, // syscall
		0x85, 0xff, // test edi, edi: CLOCK_REALTIME
		0x75, 16, // jne: to the last two
		0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, // mov rax, skew
		0x48, 0x8b, 0x00, // mov rax, [rax]
		0x48, 0x01, 0x06, // add [rsi], rax: the seconds
		0x31, 0xc0, // xor eax, eax
		0xc3, // ret
	}
	binary.LittleEndian.PutUint64(stub[13:], uint64(uintptr(unsafe.Pointer(skew))))
	memory, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0) // which may write where the program may not
	if err != nil {
		return err
	}
	defer memory.Close()
	if _, err := memory.WriteAt(stub, int64(code)); err != nil {
		return err
	}
	jump := make([]byte, 8) // aligned, and so written at once
	if _, err := memory.ReadAt(jump, int64(entry)); err != nil {
		return err
	}
	jump[0] = 0xe9 // jmp
	binary.LittleEndian.PutUint32(jump[1:], uint32(int32(int64(code)-int64(entry)-5)))
	_, err = memory.WriteAt(jump, int64(entry))
	return err
}

// clockFunction returns where this process reads the clock.
func clockFunction() (uintptr, error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(maps)) {
		var begin, end uintptr
		if !strings.Contains(line, "[vdso]") {
			continue
		}
		if _, err := fmt.Sscanf(line, "%x-%x", &begin, &end); err != nil {
			return 0, err
		}
		memory, err := os.Open("/proc/self/mem")
		if err != nil {
			return 0, err
		}
		defer memory.Close()
		image, err := elf.NewFile(io.NewSectionReader(memory, int64(begin), int64(end-begin)))
		if err != nil {
			return 0, err
		}
		symbols, err := image.DynamicSymbols()
		if err != nil {
			return 0, err
		}
		for _, s := range symbols {
			if s.Name == "__vdso_clock_gettime" && s.Value%8 == 0 {
				return begin + uintptr(s.Value), nil
			}
		}
	}
	return 0, errors.New("no function for the clock is mapped")
}

// nearby returns memory for code that a jump from there reaches.
func nearby(from uintptr) (uintptr, error) {
	const reach = 1 << 30
	for distance := uintptr(1 << 20); distance < reach; distance *= 2 {
		got, _, errno := unix.Syscall6(unix.SYS_MMAP, (from-distance)&^0xfff, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uintptr(0), 0)
		if errno != 0 {
			return 0, errno
		}
		if from-got < reach || got-from < reach {
			return got, nil
		}
		_, _, _ = unix.Syscall(unix.SYS_MUNMAP, got, 4096, 0)
	}
	return 0, errors.New("there is no room for code near the clock's function")
}

// TestJumpingClock: while the wall clock jumps by an hour, forward and back, nothing
// fires early or late: no deadline, limit, grace period, delay or age.
func TestJumpingClock(t *testing.T) {
	file := t.TempDir() + "/clock"
	if err := os.WriteFile(file, make([]byte, 8), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience) // of one whose deadline is an hour late
	defer cancel()
	stdout, stderr, code := run(t, program(ctx, "jumping clock", clockKey+"="+file))
	switch {
	case strings.HasPrefix(stdout, skipped):
		t.Skip(stdout)
	case strings.TrimSpace(stdout) != well || code != 0:
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

// wallClock returns what a worker takes for the time.
var wallClock = pool.NewTask("wallClock", func(context.Context, none) (int64, error) { return time.Now().Unix(), nil })

// jumpingClock is a host under such a clock.
func jumpingClock() {
	pool.Main()
	ctx := context.Background()
	config := pool.Config{
		Workers: 2, Spares: pool.NoSpares, Grace: 100 * time.Millisecond,
		TaskTimeout: half, QueueTimeout: half, SilenceTimeout: half, Recycle: pool.Recycle{Age: half, Idle: half},
		Logger: slog.New(slog.DiscardHandler), Stderr: io.Discard,
	}
	p, err := pool.NewProcessPool(config)
	must(err)
	for _, hours := range []int64{0, 1, -1} {
		before := time.Now()
		skew.Store(hours * 3600)
		theirs, err := wallClock.Submit(ctx, p, none{}).Result(ctx)
		must(err)
		for who, now := range map[string]int64{"the host": time.Now().Unix(), "a worker": theirs} {
			if ahead := now - wall(); ahead < hours*3600-60 || ahead > hours*3600+60 {
				fmt.Printf("%d h ahead, %s is by %d s\n", hours, who, ahead)
			}
		}
		if time.Since(before) > half {
			fmt.Println("the monotonic clock jumped")
		}
	}
	over := make(chan struct{})
	var jumps, all sync.WaitGroup
	jumps.Go(func() {
		for n := int64(1); ; n = -n {
			select {
			case <-over:
				return
			case <-time.After(7 * time.Millisecond):
				skew.Store(n * 3600)
			}
		}
	})
	// What has half an hour is not to fire, and what has some time is not to fire
	// before it is over.
	takes := func(what string, least time.Duration, do func() bool) {
		all.Go(func() {
			begin := steady()
			if ok, took := do(), steady()-begin; !ok || took < least || took > least+patience {
				fmt.Printf("%s took %v, not %v and a little: %t\n", what, took, least, ok)
			}
		})
	}
	const some = 300 * time.Millisecond
	spinning := func(p pool.Pool, options ...pool.Option) func() bool {
		return func() bool {
			err := spin.Submit(ctx, p, none{}, options...).Err(ctx)
			return errors.Is(err, context.DeadlineExceeded)
		}
	}
	crowd := config
	crowd.Workers, crowd.Recycle = 6, pool.Recycle{}
	busy, err := pool.NewProcessPool(crowd)
	must(err)
	takes("a deadline and its grace", some+config.Grace, spinning(busy, pool.WithTimeout(some)))
	takes("a limit of silence", some+config.Grace, spinning(busy, pool.WithSilenceTimeout(some)))
	takes("two attempts and the delay between", some/2+2*config.Grace, spinning(busy, pool.WithTimeout(some/6), pool.WithRetry(pool.Retry{Attempts: 2, Delay: some})))
	takes("a task", some, func() bool { return sleepOn.Submit(ctx, busy, some).Err(ctx) == nil })
	threads, err := pool.NewGoroutinePool(pool.Config{Workers: 4, QueueTimeout: half, SilenceTimeout: half})
	must(err)
	takes("a deadline on goroutines", some, func() bool {
		release := make(chan none)
		defer close(release)
		f := pool.Go(ctx, threads, func(context.Context) (none, error) {
			select {
			case <-release: // not before it was given up
			case <-time.After(2 * patience):
			}
			return none{}, nil
		}, pool.WithTimeout(some))
		return errors.Is(f.Err(ctx), context.DeadlineExceeded)
	})
	takes("a task on goroutines", some, func() bool { return sleepOn.Submit(ctx, threads, some).Err(ctx) == nil })
	takes("a command's timeout", some, func() bool {
		c := subprocess.Command("sleep", "1000")
		c.Timeout = some
		_, err := subprocess.Run(ctx, c)
		return errors.Is(err, context.DeadlineExceeded)
	})
	single, err := pool.NewProcessPool(pool.Config{Workers: 1, Spares: pool.NoSpares})
	must(err)
	takes("a wait in the queue", some, func() bool {
		first := sleepOn.Submit(ctx, single, 2*some)
		behind := double.Submit(ctx, single, 1, pool.WithQueueTimeout(some))
		last := double.Submit(ctx, single, 1, pool.WithQueueTimeout(half))
		return errors.Is(behind.Err(ctx), context.DeadlineExceeded) && first.Err(ctx) == nil && last.Err(ctx) == nil
	})
	takes("a quarantine", 0, func() bool {
		_, ok := errors.AsType[*pool.QuarantineError](exit.Submit(ctx, busy, 1, pool.WithRetry(pool.Retry{Attempts: 9, Delay: time.Millisecond})).Err(ctx))
		return ok
	})
	all.Wait()
	if s := p.Stats(); s.Started != 2 || s.Ready != 2 {
		fmt.Printf("workers were recycled before their time: %+v\n", s)
	}
	takes("the end", 0, func() bool {
		return errors.Join(p.Close(), busy.Close(), single.Close(), threads.Close()) == nil
	})
	all.Wait()
	close(over)
	jumps.Wait()
	fmt.Println(well)
}

const half = 30 * time.Minute

// wall is the system's clock, past what reads it here.
func wall() int64 {
	var now unix.Timespec
	_, _, _ = unix.Syscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_REALTIME, uintptr(unsafe.Pointer(&now)), 0)
	return now.Sec
}

// steady is the other clock, which does not jump.
func steady() time.Duration {
	var now unix.Timespec
	must(unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	return time.Duration(now.Nano())
}
