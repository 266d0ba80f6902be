package pool_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stint-go/stint/pool"
)

// This file is about workers that were taken over and write what they like into
// the memory that they share with their host.

// claim is one slot of that memory, as package worker lays it out.
type claim struct {
	word  atomic.Uint64
	begun atomic.Int64  // when
	span  atomic.Uint64 // next<<32 | end
}

// ownClaim finds a slot in the memory of the calling worker.
func ownClaim(slot int) *claim {
	at, err := claimsAt()
	if err != nil {
		panic(err)
	}
	at += uintptr(slot) * unsafe.Sizeof(claim{})
	return *(**claim)(unsafe.Pointer(&at)) // it is no Go memory
}

// claimsAt is where the memory begins that the calling worker shares with its host. Its
// arena is of the same file, further on.
func claimsAt() (uintptr, error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(maps)) {
		var start, end, offset uintptr
		var access string
		if !strings.Contains(line, "stint-claims") {
			continue
		}
		if _, err := fmt.Sscanf(line, "%x-%x %s %x", &start, &end, &access, &offset); err != nil || offset == 0 {
			return start, err
		}
	}
	return 0, errors.New("no memory is shared with the host")
}

// untilSeen returns when the host has seen that the task runs: it has taken in a
// report of it, and answered a question that came after that.
func untilSeen(ctx context.Context) error {
	if err := pool.Report(ctx, 1); err != nil {
		return err
	}
	p, err := pool.From(ctx)
	if err == nil {
		p.Stats()
	}
	return err
}

// spoil is an item that notes that it runs, and may write a span over its own.
type spoil struct {
	Log      string
	N        int
	Spoils   bool
	Next, To uint32
}

var spoilSpan = pool.NewTask("spoilSpan", func(ctx context.Context, s spoil) (int, error) {
	if err := appendToFile(s.Log, itoa(s.N)); err != nil {
		return 0, err
	}
	if s.Spoils {
		if err := untilSeen(ctx); err != nil {
			return 0, err
		}
		time.Sleep(50 * time.Millisecond) // until an idle worker has looked at what is left
		for until := time.Now().Add(time.Second); time.Now().Before(until); time.Sleep(time.Millisecond) {
			ownClaim(0).span.Store(uint64(s.Next)<<32 | uint64(s.To))
		}
		time.Sleep(time.Hour)
	}
	return s.N, nil
})

// TestSpoiltSpan, SEC-4: whatever a worker writes into the span of its chunk, no
// item runs twice, each has one outcome, and its host goes on.
func TestSpoiltSpan(t *testing.T) {
	t.Parallel()
	const items = 10
	for _, span := range [][2]uint32{{0, items}, {2, items}, {0, 0}, {0, 5}, {0, 1000}, {1 << 31, items}, {1<<32 - 1, 1<<32 - 1}, {5, 1<<32 - 1}} {
		t.Run(fmt.Sprintf("%d to %d", span[0], span[1]), func(t *testing.T) {
			p := newProcessPool(t, pool.Config{Workers: 2, Grace: 50 * time.Millisecond}) // of which one is idle and takes over what it may
			log := t.TempDir() + "/log"
			all := make([]spoil, items)
			for n := range all {
				all[n] = spoil{Log: log, N: n, Spoils: n == 4, Next: span[0], To: span[1]}
			}
			outcomes := collect(spoilSpan.Map(patient(t), p, slices.Values(all), pool.WithChunkSize(items), pool.WithTimeout(300*time.Millisecond)))
			if len(outcomes) != items {
				t.Fatalf("%d outcomes", len(outcomes))
			}
			ran := make([]int, items)
			for _, n := range lines(t, log) {
				ran[atoi(n)]++
			}
			for n, o := range outcomes {
				if o.err == nil && (o.out != n || ran[n] != 1) || ran[n] > 1 || n == 4 && o.err == nil {
					t.Errorf("item %d ran %d times: %d, %v", n, ran[n], o.out, o.err)
				}
			}
			if !errors.Is(outcomes[4].err, context.DeadlineExceeded) && !errors.Is(outcomes[4].err, pool.ErrWorkerDied) {
				t.Errorf("the item that spoilt it: %v", outcomes[4].err)
			}
			if s := p.Stats(); s.Settled() != items || s.Succeeded+s.Failed != items {
				t.Errorf("the figures: %+v", s)
			}
		})
	}
}

// regain is an item. One that Regains waits until its host has taken items of its chunk
// back, for an idle worker, and then writes that they are its worker's again.
type regain struct {
	N, Of   int
	Regains bool
}

var regainSpan = pool.NewTask("regainSpan", func(ctx context.Context, r regain) (int, error) {
	if !r.Regains {
		time.Sleep(10 * time.Millisecond)
		return r.N, nil
	}
	for span := &ownClaim(0).span; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		old := span.Load()
		if next, end := old>>32, uint32(old); int(end) < r.Of && span.CompareAndSwap(old, next<<32|uint64(r.Of)) {
			break
		}
	}
	return r.N, ctx.Err()
})

// TestRegainedItems, SEC-4: a worker that takes back what its host has taken from it, and
// tells results of that, is killed, and each item has one outcome.
func TestRegainedItems(t *testing.T) {
	const items = 20
	p := newProcessPool(t, pool.Config{Workers: 2, Spares: pool.NoSpares})
	eventually(t, "both workers are there", func() bool { return p.Stats().Ready == 2 })
	all := make([]regain, items)
	for n := range all {
		all[n] = regain{N: n, Of: items, Regains: n == 4}
	}
	outcomes := collect(regainSpan.Map(patient(t), p, slices.Values(all), pool.WithChunkSize(items)))
	if len(outcomes) != items {
		t.Fatalf("%d outcomes", len(outcomes))
	}
	for n, o := range outcomes {
		if o.err == nil && o.out != n || o.err != nil && !errors.Is(o.err, pool.ErrWorkerDied) {
			t.Errorf("item %d: %d, %v", n, o.out, o.err)
		}
	}
	if s := p.Stats(); s.Settled() != items || s.Succeeded+s.Failed != items {
		t.Errorf("the figures: %+v", s)
	}
	eventually(t, "another worker in the liar's place", func() bool { return p.Stats().Started > 2 })
}

// unclaim notes that it runs, and then says for ever that it has not begun.
var unclaim = pool.NewTask("unclaim", func(ctx context.Context, log string) (none, error) {
	if err := appendToFile(log, "runs"); err != nil {
		return none{}, err
	}
	if err := untilSeen(ctx); err != nil {
		return none{}, err
	}
	c := ownClaim(0)
	for offered := c.word.Load()&^3 | 1; ; time.Sleep(100 * time.Microsecond) {
		c.word.Store(offered)
	}
})

// TestUnclaimed, SEC-4: what has begun is not run elsewhere, though its worker
// takes back that it has begun; it ends at its deadline, and may be tried again.
func TestUnclaimed(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2, Grace: 200 * time.Millisecond})
	for attempts := 1; attempts <= 2; attempts++ {
		log := t.TempDir() + "/log"
		f := running(t, unclaim.Submit(t.Context(), p, log,
			pool.WithTimeout(300*time.Millisecond), pool.WithRetry(soon(attempts, pool.OnAny))))
		if _, err := result(t, f); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if ran := len(lines(t, log)); ran != attempts {
			t.Errorf("it ran %d times, of %d", ran, attempts)
		}
	}
	eventually(t, "both workers are there", func() bool { return p.Stats().Ready == 2 })
}

// hide notes that it runs, and says neither that it has begun nor that it has not until it
// is told to end; then for ever that it has not.
var hide = pool.NewTask("hide", func(ctx context.Context, log string) (none, error) {
	word := &ownClaim(0).word
	offered := word.Load()&^3 | 1
	word.Store(0)
	if err := appendToFile(log, "runs"); err != nil {
		return none{}, err
	}
	<-ctx.Done()
	for ; ; time.Sleep(100 * time.Microsecond) {
		word.Store(offered)
	}
})

// TestHidden, SEC-4: what is being ended is not run elsewhere, though its host has never
// seen that it had begun, and its worker says now that it had not.
func TestHidden(t *testing.T) {
	p := newProcessPool(t, pool.Config{Workers: 2, Grace: 200 * time.Millisecond})
	log := t.TempDir() + "/log"
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := hide.Submit(ctx, p, log)
	eventually(t, "it runs", func() bool { return len(lines(t, log)) > 0 })
	cancel()
	if _, err := result(t, f); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	eventually(t, "both workers are there", func() bool { return p.Stats().Ready == 2 })
	if ran := len(lines(t, log)); ran != 1 {
		t.Errorf("it ran %d times", ran)
	}
}
