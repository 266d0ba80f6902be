package worker

import (
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/stint-go/stint/runtime/internal/wire"
)

// A region is freed once: when it was released and nobody uses it any more.
func TestRegionRelease(t *testing.T) {
	for range 200 {
		var freed atomic.Int32
		data := []byte("whole")
		r := newRegion(data, func() {
			freed.Add(1)
			copy(data, "freed")
		})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				err := r.Use(func(data []byte) error {
					if string(data) != "whole" {
						t.Errorf("in use it is %q", data)
					}
					return nil
				})
				if err != nil && !errors.Is(err, ErrReleased) {
					t.Error(err)
				}
			})
			all.Go(r.Release)
		}
		all.Wait()
		if freed.Load() != 1 || !errors.Is(r.Use(func([]byte) error { return nil }), ErrReleased) {
			t.Fatalf("it was freed %d times", freed.Load())
		}
	}
}

// What was given is the other side's: it is not freed here, and not given twice.
func TestRegionGive(t *testing.T) {
	r := newRegion(nil, func() { t.Error("it was freed") })
	if !r.Give() || r.Give() {
		t.Error("given once, twice")
	}
	r.Release()
	if err := r.Use(func([]byte) error { return nil }); !errors.Is(err, ErrReleased) {
		t.Error(err)
	}
	released := newRegion(nil, func() {})
	if released.Release(); released.Give() {
		t.Error("given after its release")
	}
}

// Memory that cannot be accessed is an error of who uses it, and not the end of the
// program; another panic goes on, and so does an access elsewhere.
func TestRegionFault(t *testing.T) {
	data, err := unix.Mmap(-1, 0, 1<<16, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	freed := false
	r := newRegion(data[:1<<15], func() { freed = true })
	var sum int
	read := func(data []byte) error { sum += int(data[len(data)-1]); return nil }
	if err := r.Use(read); err == nil {
		t.Error("it was read")
	}
	if _, err := r.Copy(); err == nil {
		t.Error("it was copied")
	}
	for name, f := range map[string]func([]byte) error{
		"a panic": func([]byte) error { panic("on purpose") },
		"beyond":  func([]byte) error { return read(data) },
		"nothing": func([]byte) error { sum += *(*int)(nil); return nil },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			_ = r.Use(f)
		}()
	}
	if r.Release(); !freed {
		t.Error("it is in use still")
	}
	if err := unix.Munmap(data); err != nil {
		t.Fatal(err)
	}
}

// SEC-8: a worker that has taken the table away, where there is no memory for another,
// does not end its host, who has all of the arena unmapped in the end.
func TestRegionTableFault(t *testing.T) {
	page := unix.Getpagesize()
	data, err := unix.Mmap(-1, 0, arenaSize(2*LargePayload), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	a := newHostArena(data, LargePayload)
	a.shared = true
	place := wire.AppendRegion(nil, wire.Region{Index: 3, Size: LargePayload})
	for range 2 {
		r, err := a.receive(0, 1, place)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Mprotect(data[:page], unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
		r.Release()
	}
	a.close()
	if users := a.users.Load(); users != 0 {
		t.Errorf("%d use it still", users)
	}
}

// A result of a size that cannot be takes nothing of the arena.
func TestRegionOfAnySize(t *testing.T) {
	a := newWorkerArena(make([]byte, arenaSize(2*LargePayload)))
	a.touched.end.Store(int64(len(a.results))) // what is no mapping of a file has its pages
	for _, size := range []int{math.MaxInt, math.MaxInt - unix.Getpagesize(), LargePayload + 1} {
		if a.take(size) != nil {
			t.Errorf("there are %d bytes", size)
		}
	}
	if r := a.take(LargePayload); r == nil || r.place.Offset != 0 {
		t.Errorf("the whole of it: %+v", r)
	}
}

// SEC-8: nor does one that has taken the claim table and the journal away.
func TestClaimsFault(t *testing.T) {
	data, err := unix.Mmap(-1, 0, sharedSize, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := newClaimTable(data)
	if err != nil {
		t.Fatal(err)
	}
	l := &Link{claims: claims, outbox: &outbox{}}
	l.Offer(1, 7, "task", 0, nil)
	l.OfferChunk(2, 8, "task", 0, 10, nil)
	if l.Withdraw(1, 7) || l.Shorten(2, 10, 5) != 0 {
		t.Error("something was taken back")
	}
	if _, begun := l.Begun(1, 7); begun {
		t.Error("it has begun")
	}
	if next, end := l.Span(2); next != 0 || end != 0 {
		t.Errorf("the span is %d to %d", next, end)
	}
	if first, items := l.Noted(8); first != 0 || items != nil || l.NotedResults() != nil {
		t.Error("something was noted")
	}
	if !l.LastSign().IsZero() {
		t.Error("there was a sign of life")
	}
	l.Release()
}
